"""How often intervals of shares of flipped labels hold the truth, in worlds whose truth is known.

A label flips under an edit where hardness of the row (shared by all students), the row for this source, the seed and
chance add up to more than a threshold; along a chain the thresholds fall.  All are normal, so that the true shares are
too.  Four sources; the judged one flips more by 8 points in the column `found`, and as often in `false`.

share        the interval of one source's share, by share_of_few; in brackets the mean width over what the true
             sampling spread needs, 2 x 1.96 standard deviations of the estimates
t            the same by p -+ t sqrt(v), cut off at 0 and 1
difference   of the share to the reference's
chain        of the mean over lengths of the share that has flipped by then, to the reference's
found, false share of studies in which that difference is called more, or less, after Holm over the three sources

    python benchmarks/validity_robustness.py [--studies 400]
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from labelrisk.statistics.contrasts import decide
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.row_means import mean_variances, share_interval
from labelrisk.statistics.withstood_edits import share_of_few

CONFIDENCE = 0.95
SOURCES, LENGTHS = 4, 4
MORE = 0.08  # of labels of the judged source


class World(NamedTuple):
    """Rows, runs, the share that flips under the last edit, and standard deviations of what it comes from."""

    rows: int
    runs: int
    share: float
    hardness: float = 1.0
    of_source: float = 0.5
    seed: float = 0.15
    chance: float = 0.7

    @property
    def spread(self) -> float:
        """Of all together."""
        return float(np.linalg.norm([self.hardness, self.of_source, self.seed, self.chance]))


WORLDS = {
    "the default: 100 rows, 2 seeds, a tenth flips": World(100, 2, 0.1),
    "100 rows, 2 seeds, 2 % flip": World(100, 2, 0.02),
    "100 rows, 2 seeds, a third flips": World(100, 2, 0.33),
    "100 rows, 1 seed": World(100, 1, 0.1),
    "30 rows, 2 seeds": World(30, 2, 0.1),
    "400 rows, 5 seeds": World(400, 5, 0.1),
    "seeds dominate, 100 rows, 2 seeds": World(100, 2, 0.1, hardness=0.5, of_source=0.2, seed=0.5, chance=0.5),
    "chance dominates, 100 rows, 2 seeds": World(100, 2, 0.1, hardness=0.3, of_source=0.2, seed=0.05, chance=1.2),
}
Levels = NDArray[np.float64]


def thresholds(world: World, share: float) -> Levels:
    """Of chains of 1, 2, ... edits: shares that rise evenly to `share`."""
    return np.asarray(-ndtri(share * np.arange(1, LENGTHS + 1) / LENGTHS) * world.spread)


def draw(world: World, more: float, generator: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """By source, the second of which is judged: whether labels have flipped by so many edits, (LENGTHS, R, N)."""
    hardness = world.hardness * generator.standard_normal(world.rows)
    found = {}
    for source in range(SOURCES):
        level = hardness + world.of_source * generator.standard_normal(world.rows)
        seeds = world.seed * generator.standard_normal((world.runs, 1))
        level = level + seeds + world.chance * generator.standard_normal((world.runs, world.rows))
        bounds = thresholds(world, world.share + (more if source == 1 else 0.0))
        found[str(source)] = level > bounds[:, None, None]
    return found


def measured(world: World, studies: int) -> list[str]:
    """The cells of a row of the table."""
    generator = np.random.default_rng(0)
    intervals: dict[str, list[Interval]] = {"share": [], "t": [], "difference": [], "chain": []}
    called = {0.0: 0, MORE: 0}
    for more in called:
        for _ in range(studies):
            by_then = draw(world, more, generator)
            last = mean_variances({name: of[-1] for name, of in by_then.items()})
            chain = mean_variances({name: of.mean(axis=0) for name, of in by_then.items()})
            family = [chain.difference(str(source), "0", CONFIDENCE) for source in range(1, SOURCES)]
            called[more] += decide(family, 0.0, CONFIDENCE)[0].decision in ("better", "worse")
            if not more:
                alone = last.mean("1", CONFIDENCE)
                intervals["share"].append(share_of_few(alone, world.rows, world.runs, CONFIDENCE))
                intervals["t"].append(share_interval(alone, world.rows, CONFIDENCE))
                intervals["difference"].append(last.difference("1", "0", CONFIDENCE))
                intervals["chain"].append(family[0])
    truths = {"share": world.share, "t": world.share, "difference": 0.0, "chain": 0.0}
    cells = [_cell(np.array([one[:3] for one in of]), truths[what]) for what, of in intervals.items()]
    return [*cells, f"{called[MORE] / studies:.2f}", f"{called[0.0] / studies:.3f}"]


def _cell(found: Levels, truth: float) -> str:
    holds = float(((found[:, 1] <= truth + 1e-12) & (truth - 1e-12 <= found[:, 2])).mean())
    width = float((found[:, 2] - found[:, 1]).mean() / (2 * 1.96 * found[:, 0].std()))
    return f"{holds:.3f} ({width:.2f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=400)
    studies = parser.parse_args().studies
    for world in WORLDS.values():  # what the thresholds are meant to give
        assert np.isclose(ndtr(-thresholds(world, world.share)[-1] / world.spread), world.share)
    print("| world | share | t | difference | chain | found | false |\n|---|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        print(f"| {name} | {' | '.join(measured(world, studies))} |", flush=True)


if __name__ == "__main__":
    main()
