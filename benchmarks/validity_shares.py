"""How often intervals of corrected class shares hold the truth, in worlds whose truth is known, beside the naive count.

Each study has test rows with gold, whose classes are about equally frequent, and new rows whose shares are others
(label shift).  The classifier answers with probabilities; how well it tells classes apart, how many test rows there are
and how rare a class is differ.  Where texts of a class are others than in the study, label shift does not hold, and no
correction by test rows can be right; gold of new rows is (PPI++).

held       share of intervals (95 %), over studies and classes, that hold the share of the class among the new rows
lowest     the same of the class where it is lowest
width      mean width of the intervals, x100
error      mean distance of the estimate from the truth, x100; naive: of the counted labels

    python benchmarks/validity_shares.py [--studies 400]
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.label_shift import answers_of, corrected_shares
from labelrisk.statistics.powered_shares import powered_shares
from labelrisk.statistics.shares import wilson

Floats = NDArray[np.float64]
CONFIDENCE = 0.95


class World(NamedTuple):
    """classes, and how far apart they are; rows with gold (test), and new ones; shares: of the new rows, None for drawn
    ones; moved: how far texts of a class are from where they were in the study; heat: what probabilities are off by;
    gold_rows: new rows with gold, by which shares are corrected instead.
    """

    classes: int
    apart: float
    test: int
    new: int
    shares: tuple[float, ...] | None = None
    moved: float = 0.0
    heat: float = 1.0
    gold_rows: int = 0


WORLDS = {
    "2 classes, 300 test rows": World(2, 1.0, 300, 5000),
    "2 classes, 5 % of one": World(2, 1.0, 300, 100_000, (0.95, 0.05)),
    "the same, 60 test rows": World(2, 1.0, 60, 100_000, (0.95, 0.05)),
    "4 classes, one absent": World(4, 1.2, 400, 50_000, (0.9, 0.08, 0.02, 0.0)),
    "4 classes, hardly told apart": World(4, 0.7, 400, 5000),
    "4 classes, overconfident": World(4, 1.2, 400, 5000, heat=0.4),
    "10 classes, 1,000 test rows": World(10, 1.6, 1000, 20_000),
    "10 classes, 300 test rows": World(10, 1.6, 300, 2000),
    "texts of classes moved": World(4, 1.2, 400, 20_000, (0.7, 0.1, 0.1, 0.1), moved=0.8),
    "the same, 200 new rows with gold": World(4, 1.2, 400, 20_000, (0.7, 0.1, 0.1, 0.1), moved=0.8, gold_rows=200),
    "2 classes, 100 new rows with gold": World(2, 1.0, 300, 5000, gold_rows=100),
}


def drawn(
    world: World, shares: Floats, rows: int, moved: float, generator: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """Probabilities that a classifier says, (N, K), and gold (N,)."""
    gold = generator.choice(world.classes, rows, p=shares)
    signal = world.apart * np.eye(world.classes)[gold] + generator.standard_normal((rows, world.classes))
    signal[:, 0] += moved
    logits = world.apart * signal / world.heat
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True), gold


def study(world: World, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Whether intervals hold the truth with their width and error, corrected and naive: (K, 3) each."""
    even = np.full(world.classes, 1 / world.classes)
    shares = generator.dirichlet(np.ones(world.classes)) if world.shares is None else np.array(world.shares)
    known, gold = drawn(world, even, world.test, 0.0, generator)
    new, hidden = drawn(world, shares, world.new, world.moved, generator)
    truth = np.bincount(hidden, minlength=world.classes) / world.new
    if world.gold_rows:
        places = generator.choice(world.new, world.gold_rows, replace=False)
        chance = np.full(world.gold_rows, world.gold_rows / world.new)
        outcomes = np.eye(world.classes)[hidden[places]]
        found = powered_shares(new.mean(axis=0), world.new, new[places], outcomes, chance, CONFIDENCE)
    else:
        found = corrected_shares(answers_of(new), known, gold, CONFIDENCE) or []
    labels = np.bincount(new.argmax(axis=1), minlength=world.classes)
    naive = [wilson(int(hits), world.new, CONFIDENCE) for hits in labels]
    both = [
        np.array([[one.low <= true <= one.high, one.high - one.low, abs(one.share - true)] for one, true in pairs])
        for pairs in (zip(found, truth, strict=True), zip(naive, truth, strict=True))
    ]
    return both[0].astype(float), both[1].astype(float)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    number = parser.parse_args().studies
    print("| world | held | lowest | width | error | naive held | naive error |\n|---|---|---|---|---|---|---|")
    started = time.perf_counter()
    for name, world in WORLDS.items():
        every = [study(world, np.random.default_rng([0, one])) for one in range(number)]
        ours, naive = (np.stack(of) for of in zip(*every, strict=True))
        held, lowest = ours[..., 0].mean(), ours[..., 0].mean(axis=0).min()
        width, error, counted = 100 * ours[..., 1].mean(), 100 * ours[..., 2].mean(), 100 * naive[..., 2].mean()
        cells = f"{held:.3f} | {lowest:.3f} | {width:.1f} | {error:.1f} | {naive[..., 0].mean():.3f} | {counted:.1f}"
        print(f"| {name} | {cells} |".replace(" 0.", " ."), flush=True)
    print(f"\n{number} studies per world, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
