"""How often intervals of propagated errors hold the truth, and how often random errors are called systematic.

Studies are drawn from worlds whose truth is known: an annotator that errs more on hard rows, students of it that copy
its label or else judge the row, and students of gold that only judge; with levels of the seeds, and rows that
all runs copy or none.  Each cell: share of 95 % intervals that hold the true number, and in brackets their mean width
over the width that the true sampling spread needs.  none taught: nothing is copied, and `false` is the share of studies
that say that the labels taught errors, or kept students from them.

Then annotators of random errors, whose rate differs by class, and of errors that a rule on the vectors tells: share of
studies whose interval of the AUC within classes lies above 1/2 (`above`), or below, and the mean AUC.

    python benchmarks/validity_propagation.py [--studies 400] [--only "part of a world's name"]
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from evidence_worlds import evidence_of
from numpy.typing import NDArray

from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.annotator_errors import annotators_errors
from labelrisk.explanations.propagation.chance import predictability
from labelrisk.explanations.propagation.repeated_errors import repeats_of
from labelrisk.explanations.propagation.terms import terms_of
from labelrisk.statistics.intervals import Interval

Codes = NDArray[np.int64]
POPULATION, RUNS = 4_000, 400  # rows and runs of one drawing of the truth, of which there are several
DRAWINGS = 12


class World(NamedTuple):
    """rows, seeds; copied: logit of copying the annotator (-inf: never); row_effect, seed_effect: its sd over each."""

    name: str
    rows: int = 1000
    seeds: int = 5
    classes: int = 3
    wrong: float = -1.4  # logit of the annotator's errors
    copied: float = 0.5
    row_effect: float = 1.5
    seed_effect: float = 0.2


WORLDS = (
    World("typical, 1,000 rows, 5 seeds"),
    World("none taught", copied=-np.inf),
    World("few errors: 200 rows", rows=200),
    World("3 seeds, 500 rows", rows=500, seeds=3),
    World("seeds dominate", seed_effect=1.0, row_effect=0.3),
    World("ten classes", classes=10),
)


def logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + e^-x)."""
    chances: NDArray[np.float64] = 1 / (1 + np.exp(-values))
    return chances


def draw(world: World, rows: int, seeds: int, generator: np.random.Generator) -> Evidence:
    """One study."""
    classes = world.classes
    gold = generator.integers(0, classes, rows)
    hard = generator.standard_normal(rows)
    wrong = generator.random(rows) < logistic(world.wrong + hard)
    others = (gold + np.where(generator.random(rows) < 0.7, 1, generator.integers(1, classes, rows))) % classes
    given = np.where(wrong, others, gold)

    def judged() -> Codes:
        errs = generator.random((seeds, rows)) < logistic(-2 + hard + 0.2 * generator.standard_normal((seeds, 1)))
        codes: Codes = np.where(errs, generator.integers(0, classes, (seeds, rows)), gold)
        return codes

    levels = world.seed_effect * generator.standard_normal((seeds, 1)) + world.row_effect * generator.standard_normal(
        rows
    )
    copies = generator.random((seeds, rows)) < logistic(world.copied + levels)
    students = {"gold": judged(), "plain": np.where(copies, given, judged())}
    sure = 0.75 + 0.15 * np.tanh(-hard)
    return evidence_of(
        gold,
        {name: shared(runs, 0.85 + 0.1 * generator.random((seeds, 1)), classes) for name, runs in students.items()},
        classes=classes,
        annotators={"llm": shared(given, sure, classes)},
    )


def shared(codes: Codes, share: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Probabilities that give `share` to the class of `codes`, the rest evenly to the others."""
    rest = ((1 - share) / (classes - 1))[..., None]
    probabilities: NDArray[np.float64] = np.eye(classes)[codes] * (share[..., None] - rest) + rest
    return probabilities


def numbers(evidence: Evidence) -> dict[str, Interval]:
    """The intervals of one study."""
    (of,) = annotators_errors(evidence.study)
    found = repeats_of(evidence.study, of)["plain"]
    (terms,) = terms_of(evidence, of, "plain")
    return {
        "repeated": found.repeated.own,
        "taught": found.repeated.difference,
        "excess": found.excess.own,
        "excess, difference": found.excess.difference,
        "corrected": found.corrected.own,
        "invented": found.invented.own,
        "consistency": found.consistency.own,
        "log loss": terms.total,
        "annotator": terms.annotator,
        "estimation": terms.estimation,
        "remainder": terms.remainder,
        "larger": terms.larger,
    }


def truth(world: World, generator: np.random.Generator) -> dict[str, float]:
    """The mean of large studies."""
    drawn = [numbers(draw(world, POPULATION, RUNS, generator)) for _ in range(DRAWINGS)]
    return {name: float(np.mean([one[name].estimate for one in drawn])) for name in drawn[0]}


def told(world: World, studies: int, generator: np.random.Generator) -> str:
    """A row of the table."""
    true = truth(world, generator)
    found = [numbers(draw(world, world.rows, world.seeds, generator)) for _ in range(studies)]
    cells = []
    for name, value in true.items():
        intervals = [one[name] for one in found]
        held = np.mean([one.low <= value <= one.high for one in intervals])
        width = np.mean([one.high - one.low for one in intervals])
        needed = 2 * 1.96 * np.std([one.estimate for one in intervals])
        cells.append(f"{held:.3f} ({width / needed:.2f})")
    false = np.mean([one["taught"].low > 0 or one["taught"].high < 0 for one in found])
    return f"| {world.name} | {' | '.join(cells)} | {f'{false:.3f}' if np.isneginf(world.copied) else '-'} |"


class Errors(NamedTuple):
    """Train rows, dimensions of their vectors, and how far a rule on the first of them tells errors (0: not at all)."""

    rows: int
    dimensions: int
    rule: float


ERRORS = tuple(
    Errors(rows, dimensions, rule)
    for rows, dimensions in ((300, 8), (300, 384), (1000, 8), (1000, 64), (1000, 384))
    for rule in (0.0, 1.5)
)


def predicted(world: Errors, studies: int, generator: np.random.Generator) -> str:
    """A row of the second table."""
    found = []
    for _ in range(studies):
        gold = generator.integers(0, 3, world.rows)
        vectors = generator.standard_normal((world.rows, world.dimensions))
        vectors[np.arange(world.rows), 1 + gold] += 2
        chance = logistic(np.array([-0.5, -1.5, -2.5])[gold] + world.rule * vectors[:, 0])
        given = np.where(generator.random(world.rows) < chance, (gold + 1) % 3, gold)
        evidence = evidence_of(
            np.arange(3), {"gold": np.full((1, 3, 3), 1 / 3), "plain": np.full((1, 3, 3), 1 / 3)}, classes=3,
            annotators={"llm": np.arange(3)}, train_gold=gold, train_vectors=vectors, train_annotators={"llm": given},
        )  # fmt: skip
        one = predictability(evidence, "llm")
        if one is not None:
            found.append(one.within)
    above = np.mean([one.low > 0.5 for one in found])
    below = np.mean([one.high < 0.5 for one in found])
    mean = np.mean([one.estimate for one in found])
    what = "a rule" if world.rule else "random"
    return f"| {what} | {world.rows:,} | {world.dimensions} | {mean:.3f} | {above:.3f} | {below:.3f} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    generator = np.random.default_rng(0)
    names = list(numbers(draw(WORLDS[0], 200, 2, generator)))
    print(f"| world | {' | '.join(names)} | false |", f"|{'---|' * (len(names) + 2)}", sep="\n")
    for world in WORLDS:
        if asked.only in world.name:
            print(told(world, asked.studies, generator), flush=True)
    print("\n| errors | train rows | dimensions | mean AUC | above | below |", "|---|---|---|---|---|---|", sep="\n")
    for errors in ERRORS:
        if asked.only in "errors":
            print(predicted(errors, asked.studies // 2, generator), flush=True)


if __name__ == "__main__":
    main()
