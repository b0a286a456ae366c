"""How often certificates are broken: worlds whose true risks are known exactly, at all thresholds and on all slices.

A world draws, for each row, how often the student is wrong on such rows (of a mean `error`), how sure it is of it, and
a slice; rare slices are harder than the student knows.  By world, shares of studies at 95 % confidence in which

error      the vote's true error exceeds its bound
worst      the true error of any of five students exceeds the bound of the worst
new seed   that of a sixth student exceeds that bound; promised is at most 1/6 + .05
use        the true risk at the certified threshold exceeds the stated one, .1
any slice  that of any slice that is said to keep to the risk exceeds it
wrongly    any slice is said to break it and doesn't
answers    mean share of rows that is certified, and in brackets the largest share that the truth would allow
share      its interval doesn't hold the true share
none       no threshold is certified

Confidence is calibrated; noisy (half of it says nothing); uninformative (all of it); misleading (the surest tenth of
rows is the one with most errors); or overconfident, which matters only where no validation rows (else 200) say where
thresholds belong.  At `edge` the whole, or a slice, lies just above the stated risk: easiest to break.

    python benchmarks/validity_certificates.py [--studies 400] [--only "part of a world's name"]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest

from labelrisk.statistics.certificates import upper_bound
from labelrisk.statistics.conformal import cross_fitted, parts_of, sets_by_class, sets_for_all
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.selective_use import certify, family_of, slice_risks
from labelrisk.statistics.shares import wilson

RISK, CONFIDENCE, SEEDS = 0.1, 0.95, 5
KINDS = 2000  # of rows, equally frequent
SLICES = (0.6, 0.3, 0.1)  # shares of rows
HARDER = (1.0, 1.2, 2.0)  # errors there, times those that the student expects
Confidence = Literal["calibrated", "noisy", "uninformative", "misleading", "overconfident"]
OUTCOMES = ("error", "worst", "new seed", "use", "any slice", "wrongly", "share", "none")


@dataclass(frozen=True)
class World:
    """error: the vote's; rows: of test; sure: how its probabilities and its errors go together; known: validation."""

    error: float
    rows: int
    sure: Confidence
    known: int = 200
    harder: tuple[float, float, float] = HARDER

    @cached_property
    def wrong(self) -> Floats:
        """Chances of an error of each kind of row on each slice, (KINDS, 3), of the mean `error`."""
        easy = beta.ppf((np.arange(KINDS) + 0.5) / KINDS, self.error * 2, (1 - self.error) * 2)
        low, high, chances = 0.0, 3.0, np.zeros((KINDS, 3))
        for _ in range(40):  # halves the bracket of the scale that gives the mean
            scale = (low + high) / 2
            chances = np.minimum(easy[:, None] * scale * np.array(self.harder), 1.0)
            low, high = (scale, high) if float((chances @ np.array(SLICES)).mean()) < self.error else (low, scale)
        return chances

    @cached_property
    def confidence(self) -> Floats:
        """How sure the student is of each kind of row, (KINDS,)."""
        right = 1 - self.wrong[:, 0]
        if self.sure == "calibrated":
            return right
        if self.sure == "overconfident":
            return 1 - (1 - right) / 20
        if self.sure in ("uninformative", "noisy"):
            mixed = np.random.default_rng(1).permutation(right)
            return mixed if self.sure == "uninformative" else (right + mixed) / 2
        return np.where(right > np.quantile(right, 0.9), 0.3, right)  # the surest tenth is the least sure

    def risk_at(self, threshold: float) -> tuple[float, Floats, float]:
        """The true risk among the answers, on each slice (3,), and the true share of rows that are answered."""
        kept = self.confidence >= threshold
        on = self.wrong[kept].mean(axis=0) if kept.any() else np.zeros(3)
        return float(on @ np.array(SLICES)), on, float(kept.mean())

    @cached_property
    def largest(self) -> float:
        """The largest share of rows that can be answered with the stated risk by any threshold."""
        order = np.argsort(-self.confidence, kind="stable")
        risks = np.cumsum(self.wrong[order] @ np.array(SLICES)) / np.arange(1, KINDS + 1)
        kept = np.flatnonzero(risks <= RISK)
        return float((kept[-1] + 1) / KINDS) if len(kept) else 0.0


def worlds() -> dict[str, World]:
    """By name."""
    sure: tuple[Confidence, ...] = ("calibrated", "noisy", "uninformative", "misleading")
    found = {
        f"{error:.0%}, {rows:,} rows, {how}": World(error, rows, how)
        for error, rows, how in product((0.05, 0.15, 0.3), (200, 1000), sure)
    }
    alone: tuple[Confidence, ...] = ("calibrated", "overconfident")
    found |= {
        f"15%, {rows:,} rows, {how}, no validation": World(0.15, rows, how, 0)
        for rows, how in product((200, 1000), alone)
    }
    found |= {f"edge: the whole, {rows:,} rows": World(0.10001, rows, "uninformative") for rows in (200, 1000)}
    near = World(0.08, 2000, "uninformative", harder=(1.0, 1.0, 1.3))  # 10.1 % on the rarest slice
    return found | {"edge: a slice, 2,000 rows": near}


def study(world: World, generator: np.random.Generator) -> tuple[dict[str, bool], float]:
    """Which promises one study breaks, and the share of rows that it certifies."""
    level = 1 - CONFIDENCE
    kinds, slices = generator.integers(KINDS, size=world.rows), generator.choice(3, size=world.rows, p=SLICES)
    sure, chances = world.confidence[kinds], world.wrong[kinds, slices]
    wrong = generator.random(world.rows) < chances
    others = generator.integers(KINDS, size=world.known)
    chances_known = world.wrong[others, generator.choice(3, size=world.known, p=SLICES)]
    known, known_wrong = world.confidence[others], generator.random(world.known) < chances_known
    broken = dict.fromkeys(OUTCOMES, False)
    broken["error"] = bool(upper_bound(wrong.sum(), world.rows, CONFIDENCE) < world.error)
    # five students and a sixth: each right or wrong more often than the vote by a factor of its own
    factors = np.exp(generator.normal(0, 0.2, SEEDS + 1))
    truths = np.array([float((np.minimum(world.wrong * of, 1) @ np.array(SLICES)).mean()) for of in factors])
    errors = (generator.random((SEEDS, world.rows)) < np.minimum(chances * factors[:SEEDS, None], 1)).sum(axis=1)
    worst = float(upper_bound(errors, world.rows, 1 - level / SEEDS).max())
    broken["worst"], broken["new seed"] = bool(truths[:SEEDS].max() > worst), bool(truths[SEEDS] > worst)
    found = certify(sure, wrong, family_of(known, known_wrong, world.rows, RISK, level), RISK, level)
    if found.chosen is None:
        return broken | {"none": True}, 0.0
    risk, on, share = world.risk_at(float(found.thresholds[found.chosen]))
    places = [np.flatnonzero(slices == one) for one in range(3)]
    bounds = slice_risks(sure, wrong, places, found, level)
    answered = wilson(int(found.answered[found.chosen]), world.rows, CONFIDENCE)
    broken["use"] = risk > RISK
    broken["any slice"] = any(one.high <= RISK < true for one, true in zip(bounds, on, strict=True))
    broken["wrongly"] = any(true <= RISK < one.low for one, true in zip(bounds, on, strict=True))
    broken["share"] = not answered.low - 1e-12 <= share <= answered.high + 1e-12
    return broken, answered.share


def studies(world: World, number: int, seed: int = 0) -> tuple[dict[str, int], float]:
    """How many studies break which promise, and the mean share of rows that they certify."""
    found = [study(world, np.random.default_rng([3, seed, place])) for place in range(number)]
    return {name: sum(broken[name] for broken, _ in found) for name in OUTCOMES}, float(np.mean([s for _, s in found]))


def is_kept(broken: int, number: int, promised: float) -> bool:
    """Whether so many broken promises are no evidence (p < .001) of more than were allowed."""
    return bool(binomtest(broken, number, promised, alternative="greater").pvalue >= 0.001)


def conformal(rows: int, classes: int, sharp: float, temperature: float, number: int) -> dict[str, Floats]:
    """Coverage of cross-fitted sets by promise: over all rows, of the class with the least, and the mean size; (3,).

    Probabilities are Dirichlet of `sharp`, with a rare last class; gold is drawn from them, then they are made
    overconfident by a temperature.
    """
    makers: dict[str, Callable[..., NDArray[np.bool_]]] = {"all rows": sets_for_all, "each class": sets_by_class}
    found: dict[str, Floats] = {}
    weights = np.append(np.ones(classes - 1), 0.3) * sharp
    for name, make in makers.items():
        holds, counts, sizes = np.zeros(classes), np.zeros(classes), 0.0
        for place in range(number):
            generator = np.random.default_rng([4, place])
            true = generator.dirichlet(weights, rows)
            gold = (true.cumsum(axis=1) < generator.random((rows, 1))).sum(axis=1).clip(max=classes - 1)
            said = np.maximum(true, 1e-12) ** (1 / temperature)
            sets = cross_fitted(make, said / said.sum(axis=1, keepdims=True), gold, RISK, parts_of(rows, generator))
            holds += np.bincount(gold[sets[np.arange(rows), gold]], minlength=classes)
            counts += np.bincount(gold, minlength=classes)
            sizes += sets.sum(axis=1).mean() / number
        found[name] = np.array([holds.sum() / counts.sum(), (holds / counts).min(), sizes])
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    number, started = arguments.studies, time.perf_counter()
    print(f"| world | {' | '.join(OUTCOMES)} | answers |\n|{'---|' * (len(OUTCOMES) + 2)}")
    for seed, (name, world) in enumerate(worlds().items()):
        if arguments.only in name:
            counts, share = studies(world, number, seed)
            cells = " | ".join(f"{counts[one] / number:.3f}" for one in OUTCOMES)
            print(f"| {name} | {cells} | {share:.2f} ({world.largest:.2f}) |", flush=True)
    print(
        "\n| rows, classes, temperature | all rows | least class | size | each class: all rows | least class | size |"
    )
    print(f"|{'---|' * 7}")
    for rows, classes, temperature in product((200, 1000), (2, 5), (1.0, 0.4)):
        found = conformal(rows, classes, 0.5, temperature, max(number // 4, 1))
        cells = " | ".join(f"{value:.3f}" for of in found.values() for value in of)
        print(f"| {rows:,}, {classes}, {temperature} | {cells} |", flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
