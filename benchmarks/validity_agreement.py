"""How often intervals of agreement hold the truth, and how wide they are, in the worlds of validity.py.

For Krippendorff's alpha and for p_uc (the share of rows that all runs label alike), each of the judged source alone
and of its difference from the reference:

coverage   share of studies whose 95 % interval holds the true value, which infinitely many rows and studies give
width      mean width over what the true sampling spread needs, 2 x 1.96 standard deviations of the estimates
found      share of studies whose interval of the difference lies below 0 where the judged source is less stable
false      the same where the two are equal: "unstable" at the one-sided 2.5 % level (no equal ones: -)

    python benchmarks/validity_agreement.py [--studies 400]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from validity import CONFIDENCE, LOSS, RIGHT, WORLDS, World, draw

from labelrisk.statistics.agreement_variances import AgreementVariances

Statistic = Literal["alpha", "p_uc"]
STATISTICS: tuple[Statistic, ...] = ("alpha", "p_uc")
HARDNESS = np.linspace(-9, 9, 20001)  # of a row, in standard deviations: steep where runs hardly differ
DENSITY = np.exp(-(HARDNESS**2) / 2) / np.exp(-(HARDNESS**2) / 2).sum()
MORE_WORLDS = {
    "10 seeds": World(1000, 10, 0.08),
    "seeds dominate, 10 seeds": World(700, 10, 0.3, difficulty=0.5, of_source=0.2, chance=0.3),
    "hardly any disagreement, 500 rows": World(500, 5, 0.04, of_source=0.3, chance=0.1),
}


class Judged(NamedTuple):
    """Estimates, lows and highs over studies, (studies, 3) each, and the true values."""

    alone: NDArray[np.float64]
    difference: NDArray[np.float64]
    true_alone: float
    true_difference: float


def truth(world: World, source: int, loss: float, statistic: Statistic) -> float:
    """The statistic over infinitely many rows, averaged over the seeds: in a row, runs are right independently."""
    row = RIGHT - loss + np.hypot(world.difficulty, world.of_source) * HARDNESS
    right = ndtr(row / np.hypot(world.chance, world.level(source)))
    if statistic == "p_uc":
        return float(DENSITY @ (right**world.runs + (1 - right) ** world.runs))
    shares, mean = np.array(world.shares), float(DENSITY @ right)
    of_classes = shares * mean + (1 - shares) * (1 - mean) / (len(shares) - 1)
    return float(1 - 2 * (DENSITY @ (right * (1 - right))) / (1 - (of_classes**2).sum()))


def studies(world: World, loss: float, number: int) -> dict[Statistic, Judged]:
    """The second source alone and its difference from the first, in each study."""
    losses = [0.0, loss, *[loss / 2] * (world.sources - 2)]
    found: dict[Statistic, list[list[float]]] = {statistic: [] for statistic in STATISTICS}
    for study in range(number):
        _, predictions = draw(world, losses, np.random.default_rng([study, world.rows]))
        runs = {str(source): of for source, of in enumerate(predictions)}
        for statistic in STATISTICS:
            variances = AgreementVariances(runs, len(world.shares), statistic)
            alone, difference = variances.of("1", CONFIDENCE), variances.difference("1", "0", CONFIDENCE)
            found[statistic].append([*alone[:3], *difference[:3]])
    judged = {}
    for statistic, rows in found.items():
        values, true = np.array(rows), truth(world, 1, loss, statistic)
        judged[statistic] = Judged(values[:, :3], values[:, 3:], true, true - truth(world, 0, 0.0, statistic))
    return judged


def cells(world: World, number: int) -> Iterator[str]:
    """The columns of a world."""
    lossy, equal = studies(world, LOSS, number), studies(world, 0.0, number)
    for statistic in STATISTICS:
        one = lossy[statistic]
        for values, true in ((one.alone, one.true_alone), (one.difference, one.true_difference)):
            estimate, low, high = values.T
            width = np.mean(high - low) / (2 * 1.96 * estimate.std(ddof=1))
            yield f"{np.mean((low <= true) & (true <= high)):>9.3f} ({width:.2f})"
        yield f"{np.mean(one.difference[:, 2] < 0):>8.2f}"
        alike = world.level(0) == world.level(1)
        yield f"{np.mean(equal[statistic].difference[:, 2] < 0):>8.3f}" if alike else f"{'-':>8}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    number = parser.parse_args().studies
    started = time.perf_counter()
    head = "".join(f"{name:>16}{name + ' diff.':>16}{'found':>8}{'false':>8}" for name in STATISTICS)
    print(f"{number} studies each: coverage (width)\n{'':38}{head}")
    for name, world in (WORLDS | MORE_WORLDS).items():
        print(f"{name:38}{''.join(cells(world, number))}", flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
