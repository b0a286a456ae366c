"""How often intervals of calibration hold the truth, and how wide they are, in worlds whose truth is known.

Gold is drawn from probabilities softmax(signal); a student says softmax(h (signal + chance)), h its seed's own: sharp
is its median, 1 where it would be as sure as it is right but for chance.  Two sources; the second is judged.

off, difference   confidence minus accuracy, of the source, and minus the first source's
squared error     of the confidences in bins, without what chance adds
Brier, log loss   the change by a temperature is that of the log loss
temperature       in logarithms
Each: the share of studies whose 95 % interval holds the true value, and in brackets the mean width over what the true
sampling spread needs, 2 x 1.96 standard deviations of the estimates.
plain, corrected  the mean plain ECE, and the signed root of the mean squared error, beside the true root (x100)

    python benchmarks/validity_calibration.py [--studies 400]
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from coverage_tables import held, print_worlds
from numpy.typing import NDArray

from labelrisk.explanations.calibration.measures import (
    changes,
    intervals,
    mean_temperatures,
    temperatures_of,
    values_of,
    variances,
)
from labelrisk.settings.calibration import CalibrationSettings
from labelrisk.statistics.intervals import Interval

CONFIDENCE, SETTINGS, LARGE = 0.95, CalibrationSettings(), 100_000
COLUMNS = ("off", "difference", "squared error", "Brier", "log loss", "change", "temperature")
Floats = NDArray[Any]


class World(NamedTuple):
    """Test rows, validation rows, seeds, classes; how sharp sources are; what seeds differ by, in logarithms."""

    rows: int = 1000
    validation: int = 300
    seeds: int = 5
    classes: int = 4
    sharp: tuple[float, float] = (1.2, 2.0)
    of_seed: float = 0.1
    chance: float = 0.5


WORLDS = {
    "typical, 1,000 rows, 5 seeds": World(),
    "as sure as right": World(sharp=(1.0, 1.0), of_seed=0.0, chance=0.02),
    "far too sure": World(sharp=(1.2, 5.0)),
    "3 seeds": World(seeds=3),
    "seeds dominate": World(of_seed=0.5, chance=0.2),
    "200 rows, 100 of validation": World(rows=200, validation=100),
    "2 classes": World(classes=2),
    "10 classes": World(classes=10),
}


def split(world: World, rows: int, generator: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Signals (N, K), and gold drawn from them."""
    signal = 1.5 * generator.standard_normal((rows, world.classes))
    chances = softmax(signal)
    return signal, (chances.cumsum(axis=1) < generator.random((rows, 1))).sum(axis=1).clip(max=world.classes - 1)


def softmax(logits: Floats) -> Floats:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return found


def says(world: World, signal: Floats, heats: Floats, generator: np.random.Generator) -> Floats:
    """What students of these sharpnesses (R,) say: (R, N, K)."""
    noise = world.chance * generator.standard_normal((len(heats), *signal.shape))
    return softmax(heats[:, None, None] * (signal + noise)).astype(np.float32)


def heats(world: World, source: int, seeds: int, generator: np.random.Generator) -> Floats:
    """The sharpness of each seed of a source."""
    drawn: Floats = world.sharp[source] * np.exp(world.of_seed * generator.standard_normal(seeds))
    return drawn


def study(world: World, generator: np.random.Generator) -> tuple[dict[str, Interval], float]:
    """The intervals of one study by column, and the plain ECE of the judged source."""
    (signal, gold), (more, known) = (split(world, rows, generator) for rows in (world.rows, world.validation))
    sharp = [heats(world, source, world.seeds, generator) for source in (0, 1)]
    test = {str(place): says(world, signal, of, generator) for place, of in enumerate(sharp)}
    validation = {str(place): says(world, more, of, generator) for place, of in enumerate(sharp)}
    fits = {name: temperatures_of(of, known, 1) for name, of in validation.items()}
    fitted = {name: fit for name, fit in fits.items() if fit is not None}
    before = {name: values_of(of, None, gold, SETTINGS, CONFIDENCE) for name, of in test.items()}
    after = {name: values_of(of, fitted[name].of_runs, gold, SETTINGS, CONFIDENCE) for name, of in test.items()}
    found = intervals(before, CONFIDENCE)["1"]
    heat = mean_temperatures(fitted, CONFIDENCE)["1"]
    return {
        "off": found["overconfidence"],
        "difference": variances(before, "overconfidence").difference("1", "0", CONFIDENCE),
        "squared error": found["squared_error"],
        "Brier": found["brier"],
        "log loss": found["log_loss"],
        "change": changes(before, after, CONFIDENCE)["1"]["log_loss"],
        "temperature": heat._replace(
            estimate=float(np.log(heat.estimate)), low=float(np.log(heat.low)), high=float(np.log(heat.high))
        ),
    }, before["1"].plain


def true_error(world: World, generator: np.random.Generator) -> float:
    """The mean square in bins over many rows, mean over many seeds."""
    errors = []
    for _ in range(20 if world.of_seed else 3):
        signal, gold = split(world, LARGE, generator)
        said = says(world, signal, heats(world, 1, 1, generator), generator)
        errors.append(values_of(said, None, gold, SETTINGS, CONFIDENCE).scores["squared_error"][0])
    return float(np.mean(errors))


def line(world: World, number: int) -> str:
    """A row of the table; of means, and of temperatures, the mean over all studies is taken for the truth."""
    generator = np.random.default_rng(0)
    drawn = [study(world, generator) for _ in range(number)]
    square = true_error(world, generator)
    cells = []
    for column in COLUMNS:
        values = np.array([one[column][:3] for one, _ in drawn])
        truth = square if column == "squared error" else values[:, 0].mean()
        cells.append(held(values, truth))
    mean = float(np.mean([one["squared error"].estimate for one, _ in drawn]))
    plain = np.mean([of for _, of in drawn])
    roots = [float(np.copysign(np.sqrt(abs(value)), value)) for value in (mean, square)]
    return " | ".join([*cells, f"{100 * plain:.1f}", f"{100 * roots[0]:.1f} ({100 * roots[1]:.1f})"])


if __name__ == "__main__":
    print_worlds(__doc__, ["world", *COLUMNS, "plain", "corrected (true)"], WORLDS.items(), line)
