"""How often intervals of ensembles hold the truth, and how far alpha of ensembles of five is missed: known worlds.

A world draws, for each row, logits that all seeds of a source share, a level of each seed and class, and noise of each
seed and row; probabilities are the softmax of twice the logits.  The truth of an ensemble of R seeds is its mean over
very many rows and many draws of R seeds.  By world, with studies of R seeds:

vote       share of studies whose 95 % interval of the vote's macro-F1 holds the true one, and the mean width over what
           the true sampling spread needs, 2 x 1.96 standard deviations of the estimates
gain       the same of the vote's gain over the mean student
alpha      the same of alpha of two disjoint ensembles of 1, and of 2 members
five       alpha of two ensembles of five, extrapolated from ensembles of one and two: bias, and the error that 95 % of
           studies stay within
stacked    macro-F1 of weights and of stacking minus that of the vote (x100), from so many validation rows

    python benchmarks/validity_ensembles.py [--studies 200]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.ensemble_redraws import (
    agreement_interval,
    agreement_of_pairs,
    disjoint_pairs,
    extrapolated,
    seeds_part,
    subset_votes,
)
from labelrisk.statistics.ensembles import Stacker, best_penalty, log_probabilities, mixture_weights, weighted_votes
from labelrisk.statistics.pseudo_runs import halves, mean_runs, pseudo_runs, variances_of
from labelrisk.statistics.scores import Codes, confusion, macro_f1
from labelrisk.statistics.votes import soft_vote

CONFIDENCE, REDRAWS, FIVE = 0.95, 30, 5
TRUE_ROWS, TRUE_DRAWS = 20_000, 60
Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class World:
    """Rows, seeds, classes; standard deviations of shared logits, of levels and of noise; shift: of class 0's logit.

    heavy: noise of Student's t with 2.5 degrees of freedom.
    """

    rows: int
    seeds: int
    classes: int
    shared: float
    level: float
    noise: float
    shift: float = 0.0
    heavy: bool = False
    validation: int = 200


WORLDS = {
    "typical, 1,000 rows, 5 seeds": World(1000, 5, 3, 1.2, 0.1, 0.6),
    "noisy seeds": World(1000, 5, 3, 1.2, 0.1, 1.5),
    "seeds differ in levels": World(1000, 5, 3, 1.2, 0.6, 0.3),
    "heavy noise": World(1000, 5, 3, 1.2, 0.1, 0.4, heavy=True),
    "ten classes": World(1000, 5, 10, 1.0, 0.1, 0.6),
    "two classes, 200 rows": World(200, 5, 2, 1.2, 0.1, 0.6, validation=40),
    "all overdo one class": World(1000, 5, 3, 1.2, 0.1, 0.6, shift=2.0),
    "10 seeds": World(1000, 10, 3, 1.2, 0.1, 0.6),
    "3 seeds": World(1000, 3, 3, 1.2, 0.1, 0.6),
}


def draw(world: World, rows: int, seeds: int, generator: np.random.Generator, levels: Any = None) -> tuple[Any, ...]:
    """Gold (N,), probabilities (R, N, K), and the seeds' levels, which other rows may be given, too."""
    gold = generator.integers(0, world.classes, rows)
    logits = world.shared * generator.standard_normal((rows, world.classes))
    logits[np.arange(rows), gold] += 2
    logits[:, 0] += world.shift
    if levels is None:
        levels = world.level * generator.standard_normal((seeds, 1, world.classes))
    shape = (seeds, rows, world.classes)
    noise = generator.standard_t(2.5, shape) if world.heavy else generator.standard_normal(shape)
    every = 2 * (logits + levels + world.noise * noise)
    shares = np.exp(every - every.max(axis=-1, keepdims=True))
    return gold, (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32), levels


def alpha(probabilities: Probabilities, members: int, generator: np.random.Generator) -> Any:
    """Agreement of disjoint ensembles."""
    pairs = disjoint_pairs(len(probabilities), members, REDRAWS, generator)
    chosen = list(dict.fromkeys(one for pair in pairs for one in pair))
    places = np.array([[chosen.index(one) for one in pair] for pair in pairs])
    return agreement_of_pairs(subset_votes(probabilities, chosen), places, probabilities.shape[-1])


def truths(world: World) -> dict[str, float]:
    """The true numbers, on many rows and draws of seeds."""
    found: dict[str, list[float]] = {"vote": [], "gain": [], "alpha 1": [], "alpha 2": [], "alpha 5": []}
    for one in range(TRUE_DRAWS):
        generator = np.random.default_rng([one, 7])
        gold, probabilities, _ = draw(world, TRUE_ROWS // 4, 10, generator)
        of = probabilities[: world.seeds]
        vote = float(macro_f1(confusion(gold, soft_vote(of), world.classes)))
        found["vote"].append(vote)
        single = [float(macro_f1(confusion(gold, run.argmax(axis=-1), world.classes))) for run in of]
        found["gain"].append(vote - float(np.mean(single)))
        for members in (1, 2, FIVE):
            halves = [probabilities[start : start + members].mean(axis=0).argmax(axis=-1) for start in (0, members)]
            found[f"alpha {members}"].append(
                agreement_of_pairs(np.stack(halves), np.array([[0, 1]]), world.classes).alpha
            )
    return {name: float(np.mean(values)) for name, values in found.items()}


def study(world: World, number: int) -> dict[str, Any]:
    """The intervals of one study, as (estimate, low, high)."""
    generator = np.random.default_rng([number, world.rows])
    gold, test, levels = draw(world, world.rows, world.seeds, generator)
    of_validation, validation, _ = draw(world, world.validation, world.seeds, generator, levels)
    found: dict[str, Any] = {}

    def score(codes: Codes) -> float:
        return float(macro_f1(confusion(gold, codes, world.classes)))

    parts = halves(world.seeds, generator)
    codes = np.stack([soft_vote(test), *(soft_vote(test[list(part)]) for part in parts)])
    vote = pseudo_runs(gold, codes, parts, world.classes, macro_f1)
    runs = test.argmax(axis=-1)
    mean = mean_runs(gold, [runs], [np.stack([confusion(gold, run, world.classes) for run in runs])], macro_f1)
    found["vote"] = variances_of({"": vote}).mean("", CONFIDENCE)[:3]
    found["gain"] = variances_of({"": vote.plus(mean, -1.0)}).mean("", CONFIDENCE)[:3]
    seeds = seeds_part(runs, world.classes)
    estimates = []
    for members in (1, 2) if world.seeds > 3 else (1,):
        agreement = alpha(test, members, generator)
        estimates.append(agreement.alpha)
        found[f"alpha {members}"] = agreement_interval(agreement.alpha, agreement.alpha_influences, seeds, CONFIDENCE)[
            :3
        ]
    found["five"] = extrapolated(estimates[0], estimates[1], FIVE) if len(estimates) == 2 else np.nan
    logs = log_probabilities(validation)
    stacker = Stacker(logs, of_validation, best_penalty(logs, of_validation, np.random.default_rng(0)))
    plain = score(soft_vote(test))
    found["weighted"] = score(weighted_votes(test, mixture_weights(validation, of_validation)[None])[0]) - plain
    found["stacked"] = score(stacker.vote(log_probabilities(test))) - plain
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    number = parser.parse_args().studies
    started = time.perf_counter()
    heads = ["vote", "gain", "alpha 1", "alpha 2"]
    print(f"{number} studies each: coverage (width)")
    print(
        f"{'':30}{''.join(f'{head:>15}' for head in heads)}"
        f"{'five: bias':>12}{'within':>8}{'weighted':>10}{'stacked':>9}"
    )
    for name, world in WORLDS.items():
        true, found = truths(world), [study(world, one) for one in range(number)]
        line = f"{name:30}"
        for head in heads:
            if head not in found[0]:
                line += f"{'-':>15}"
                continue
            estimate, low, high = np.array([one[head] for one in found]).T
            width = np.mean(high - low) / (2 * 1.96 * estimate.std(ddof=1))
            line += f"{np.mean((low <= true[head]) & (true[head] <= high)):>8.3f} ({width:.2f})"
        errors = np.array([one["five"] for one in found]) - true["alpha 5"]
        line += f"{errors.mean():>+12.3f}{np.quantile(np.abs(errors), 0.95):>8.3f}"
        line += "".join(f"{100 * np.mean([one[key] for one in found]):>+10.1f}" for key in ("weighted", "stacked"))
        print(line, flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
