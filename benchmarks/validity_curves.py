"""How often what is said of learning curves is right, in worlds whose curves are known power laws.

Students of gold and of an annotator at sizes that double; a row is right where level(n) + difficulty of the row for
all + for the source + luck of the run + chance is above 0, and level(n) is such that accuracy follows the law.  The
luck of a run has two parts: its own seed's, and that of the train rows that were drawn, which falls as n^-1/2 and is
shared by the sizes of one seed, since the small parts lie in the larger ones.

plateau, next 100, flat from, crossing   share of intervals that hold the truth (.95 is said); width: median, in points
told       share of studies that tell a plateau from growth without end
misfit     share of studies whose points are said to follow no power law
early      share of studies that find the annotator's curve to flatten early; denied: that it does not

    python benchmarks/validity_curves.py [--studies 400] [--only "part of a world's name"]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from labelrisk.comparison.claims.judgements import lower
from labelrisk.explanations.curves.premature_plateau import PART
from labelrisk.statistics.curve_shapes import crossing, late_rows, slope
from labelrisk.statistics.power_laws import FEWEST, MISFIT, power_law
from labelrisk.statistics.score_points import Runs, ScorePoints, score_points
from labelrisk.statistics.scores import confusion, macro_f1

CONFIDENCE, MARGIN, CLASSES = 0.95, 0.02, 3
GOLD, ANNOTATOR = "gold", "llm"


@dataclass(frozen=True)
class Truth:
    """accuracy(n) = plateau - fall n^-power."""

    plateau: float
    fall: float
    power: float

    def at(self, rows: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """The accuracy with so many rows."""
        return np.asarray(self.plateau - self.fall * np.asarray(rows) ** -self.power)

    def flat_from(self) -> float:
        """From how many rows on a doubling buys less than the margin."""
        return float(max(1.0, (self.fall * (1 - 2**-self.power) / MARGIN) ** (1 / self.power)))


@dataclass(frozen=True)
class World:
    """Two sources, sizes, seeds of the small sizes and of the largest, test rows; standard deviations of the luck of a
    seed, and of that of 50 train rows.  annotator_sizes: where they differ.
    """

    gold: Truth
    annotator: Truth
    sizes: tuple[int, ...] = (50, 100, 200, 400)
    seeds: int = 3
    seeds_of_all: int = 5
    rows: int = 1000
    seed_luck: float = 0.06
    row_luck: float = 0.12
    annotator_sizes: tuple[int, ...] = ()

    def sizes_of(self, source: str) -> tuple[int, ...]:
        """The numbers of rows that a source has students of."""
        return self.annotator_sizes or self.sizes if source == ANNOTATOR else self.sizes


RISING, STEEP, EARLY = Truth(0.92, 2.2, 0.45), Truth(0.88, 8.0, 0.8), Truth(0.72, 60.0, 1.5)
ROOT = Truth(0.9, 1.5, 0.5)
LONG = (50, 100, 200, 400, 800, 1600)
WORLDS = {
    "early plateau, 4 sizes": World(STEEP, EARLY),
    "early plateau, 6 sizes": World(RISING, EARLY, LONG),
    "early plateau, 6 sizes, 5 seeds, 2,000 rows": World(RISING, EARLY, LONG, 5, 5, 2000),
    "same shape, lower, 4 sizes": World(STEEP, Truth(0.78, 8.0, 0.8)),
    "same shape, lower, 6 sizes": World(RISING, Truth(0.80, 2.2, 0.45), LONG),
    "same curve, 6 sizes": World(STEEP, STEEP, LONG),
    "same curve, the annotator ends at 340 of 400 rows": World(
        ROOT, ROOT, rows=5000, annotator_sizes=(50, 100, 200, 340)
    ),
    "curves that cross, 6 sizes": World(Truth(0.92, 4.0, 0.5), Truth(0.78, 5.0, 0.8), LONG),
    "flat from the start, 5 sizes": World(Truth(0.8, 0.0, 1.0), Truth(0.7, 0.0, 1.0), LONG[:5]),
    "lucky seeds, 5 sizes": World(STEEP, EARLY, LONG[:5], seed_luck=0.2, row_luck=0.3),
    "growth up to a perfect score, 6 sizes": World(Truth(1.0, 1.6, 0.25), Truth(1.0, 1.8, 0.25), LONG),
    "2 seeds, 4 sizes": World(STEEP, EARLY, seeds=2),
}


def points_of(world: World, generator: np.random.Generator) -> ScorePoints:
    """The points of one study."""
    gold = generator.integers(0, CLASSES, world.rows)
    wrong = (gold + 1 + generator.integers(0, CLASSES - 1, world.rows)) % CLASSES
    shared = generator.standard_normal(world.rows)
    runs = []
    for source, truth in ((GOLD, world.gold), (ANNOTATOR, world.annotator)):
        own = 0.5 * generator.standard_normal(world.rows)
        sizes = world.sizes_of(source)
        steps = generator.standard_normal((world.seeds_of_all, len(sizes)))
        # a mean over n rows, of which n / 2 are those of the size before: a walk over rows, divided by their number
        added = np.diff([0, *sizes])
        walk = np.cumsum(steps * np.sqrt(added), axis=1) / np.array(sizes)
        luck = world.row_luck * np.sqrt(50) * walk
        for place, size in enumerate(sizes):
            number = world.seeds_of_all if place == len(sizes) - 1 else world.seeds
            level = luck[:number, place] + world.seed_luck * generator.standard_normal(number)
            spread = np.sqrt(1 + 0.25 + 0.25 + world.seed_luck**2 + world.row_luck**2 * 50 / size)
            chance = 0.5 * generator.standard_normal((number, world.rows))
            right = ndtri(truth.at(size)) * spread + shared + own + level[:, None] + chance > 0
            predictions = np.where(right, gold, wrong)
            counts = np.stack([confusion(gold, run, CLASSES) for run in predictions])
            runs.append(Runs(source, size, predictions, counts))
    return score_points(gold, runs, macro_f1)


def judged(world: World, points: ScorePoints) -> dict[str, float]:
    """What is said of one study, right (1) or wrong (0), and how wide it is."""
    found: dict[str, float] = {}
    for source, truth in ((GOLD, world.gold), (ANNOTATOR, world.annotator)):
        places, name = points.of(source), source[0]
        if len(places) < FEWEST:
            continue
        law = power_law(
            points.rows[places], points.scores[places], points.covariance(places), points.degrees[source], CONFIDENCE
        )
        found[f"misfit {name}"] = float(law.p < MISFIT)
        found[f"told {name}"] = float(law.told)
        largest = float(world.sizes_of(source)[-1])
        gain = float(truth.at(largest + 100) - truth.at(largest))
        for what, said, true in (
            ("plateau", law.plateau, truth.plateau),
            ("next 100", law.gain(largest, largest + 100), gain),
            ("flat from", law.flat_from(MARGIN), truth.flat_from()),
        ):
            found[f"{what} {name}"] = float(said.low - 1e-9 <= true <= said.high + 1e-9)
            if what != "flat from":
                found[f"width of {what} {name}"] = 100 * (said.high - said.low)
    if (true_crossing := crossing_of(world)) is not None:
        cross = crossing(points, GOLD, ANNOTATOR, CONFIDENCE)
        assert cross is not None
        found["crossing"] = float(cross.low is not None and cross.low <= true_crossing <= (cross.high or 0.0))
        found["crossing found"] = float(cross.start < 0 < cross.end)
    rows = late_rows(points, ANNOTATOR, GOLD, PART)
    late = lower(points.contrast(slope(points, ANNOTATOR, rows) - slope(points, GOLD, rows), CONFIDENCE), MARGIN)
    return found | {"early": float(late.finding == "holds"), "denied": float(late.finding == "does not hold")}


def crossing_of(world: World) -> float | None:
    """Where gold truly passes the annotator, within the sizes."""

    def ahead(rows: float) -> float:
        return float(world.gold.at(rows) - world.annotator.at(rows))

    if ahead(world.sizes[0]) * ahead(world.sizes[-1]) >= 0:
        return None
    return float(brentq(ahead, world.sizes[0], world.sizes[-1]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    started = time.perf_counter()
    for name, world in WORLDS.items():
        if arguments.only not in name:
            continue
        studies = [
            judged(world, points_of(world, np.random.default_rng([at, len(name)]))) for at in range(arguments.studies)
        ]
        keys = dict.fromkeys(key for one in studies for key in one)
        medians = {key: np.median if key.startswith("width") else np.mean for key in keys}
        cells = [f"{key} {medians[key]([one[key] for one in studies]):.3f}" for key in keys]
        print(f"{name}\n    {'; '.join(cells)}", flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
