"""How often intervals of shared errors hold the truth, and how often independent annotators are said to share some.

Two annotators label rows of three classes with the shares .6, .3, .1.  Each errs on its own on a share of rows, twice
as often in the rarest class; where a rule is shared, both give one and the same wrong label to a share of rows beside.

excess, ratio   share of studies whose 95 % interval holds the true one, of rows where both are wrong, among those
                that give bounds, whose share stands in brackets
alike           the same of the ratio of rows where both give the same wrong label
found           share of studies that say errors are shared (p below .05): of both wrong, and of the same wrong label;
                where no rule is shared, these are false alarms
any pair        share of studies of ten annotators that say of any two of them that they share errors, by Holm over
                both questions and all 45 pairs, though all err independently

    python benchmarks/validity_shared_errors.py [--studies 1000] [--panels 400]
"""

from __future__ import annotations

import argparse
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.contrasts import holm
from labelrisk.statistics.shared_errors import Cells, cells, errors_in_common, same_errors

CONFIDENCE, LEVEL = 0.95, 0.05
SHARES = np.array([0.6, 0.3, 0.1])
HARDER = np.array([1.0, 1.0, 2.0])  # errors of a class, times the share
CLASSES = len(SHARES)
ANNOTATORS = 10
PANELS = [(100, 0.05), (200, 0.02), (200, 0.05), (200, 0.1), (500, 0.1), (1000, 0.1), (2000, 0.1), (1000, 0.3)]


class World(NamedTuple):
    """Gold rows, the share of rows on which an annotator errs alone, and that on which the shared rule is wrong."""

    rows: int
    errors: float
    rule: float


WORLDS = [
    World(rows, errors, rule)
    for rule in (0.0, 0.05)
    for rows, errors in ((100, 0.1), (100, 0.3), (300, 0.1), (300, 0.3), (1000, 0.1), (1000, 0.3), (5000, 0.05))
]


def truth(world: World) -> tuple[float, float, float]:
    """Excess and ratio of rows where both are wrong, ratio of those wrong alike, in infinitely many rows.

    Alone an annotator takes either wrong class by chance; the rule takes the next class.
    """
    alone, rule = HARDER * world.errors, world.rule
    wrong = rule + (1 - rule) * alone
    both = rule + (1 - rule) * alone**2
    next_class, other_class = rule + (1 - rule) * alone / 2, (1 - rule) * alone / 2
    alike = rule + (1 - rule) * alone**2 / 2
    expected, expected_alike = SHARES @ wrong**2, SHARES @ (next_class**2 + other_class**2)
    return float(SHARES @ both - expected), float(SHARES @ both / expected), float(SHARES @ alike / expected_alike)


def draw(world: World, generator: np.random.Generator) -> Cells:
    """The rows of one study."""
    gold = generator.choice(CLASSES, world.rows, p=SHARES)
    ruled = generator.random(world.rows) < world.rule

    def label() -> NDArray[np.int64]:
        errs = generator.random(world.rows) < HARDER[gold] * world.errors
        alone = np.where(errs, (gold + generator.integers(1, CLASSES, world.rows)) % CLASSES, gold)
        return np.where(ruled, (gold + 1) % CLASSES, alone)

    return cells(gold, label(), label(), CLASSES)


def measured(world: World, studies: int) -> list[str]:
    """Coverage of excess, ratio and the ratio of errors alike; shares found."""
    generator = np.random.default_rng([world.rows, round(1000 * world.errors), round(1000 * world.rule)])
    true = np.array(truth(world))
    bounds, found = np.empty((studies, 3, 2)), np.empty((studies, 2), dtype=bool)
    for place in range(studies):
        of = draw(world, generator)
        wrong, same = errors_in_common(of, CONFIDENCE), same_errors(of, CONFIDENCE)
        bounds[place] = [one[1:3] for one in (wrong.excess, wrong.ratio, same.ratio)]
        found[place] = [one.p < LEVEL and one.excess.estimate > 0 for one in (wrong, same)]
    given = ~np.isnan(bounds[..., 0])
    held = (bounds[..., 0] <= true) & (true <= bounds[..., 1])
    return [
        *(f"{held[given[:, one], one].mean():.3f} ({given[:, one].mean():.2f})" if given[:, one].any() else "-"
          for one in range(3)),
        *(f"{share:.3f}" for share in found.mean(axis=0)),
    ]  # fmt: skip


def any_pair(rows: int, errors: float, studies: int) -> float:
    """The share of studies of annotators that err independently in which some two are said to share errors."""
    generator = np.random.default_rng([rows, round(1000 * errors), ANNOTATORS])
    return float(np.mean([says_shared(rows, errors, generator) for _ in range(studies)]))


def says_shared(rows: int, errors: float, generator: np.random.Generator) -> bool:
    """Of one study."""
    gold = generator.choice(CLASSES, rows, p=SHARES)
    errs = generator.random((ANNOTATORS, rows)) < HARDER[gold] * errors
    labels = np.where(errs, (gold + generator.integers(1, CLASSES, (ANNOTATORS, rows))) % CLASSES, gold)
    counted = [cells(gold, one, other, CLASSES) for one, other in combinations(labels, 2)]
    found = [test(of, CONFIDENCE) for of in counted for test in (errors_in_common, same_errors)]
    more = np.array([one.excess.estimate > 0 for one in found])
    return bool(((holm([one.p for one in found]) < LEVEL) & more).any())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--panels", type=int, default=400)
    given = parser.parse_args()
    print("| rows | errors | any pair |")
    print("|---|---|---|")
    for rows, errors in PANELS if given.panels else ():
        print(f"| {rows:,} | {errors:g} | {any_pair(rows, errors, given.panels):.3f} |", flush=True)
    studies = given.studies
    print("| rows | errors | shared rule | excess | ratio | alike | found: both wrong | found: alike |")
    print("|---|---|---|---|---|---|---|---|")
    for world in WORLDS if studies else ():
        numbers = " | ".join(measured(world, studies))
        print(f"| {world.rows:,} | {world.errors:g} | {world.rule:g} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
