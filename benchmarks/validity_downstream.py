"""How often intervals of downstream estimates hold the truth, by method, in worlds whose labels err systematically.

Each world is a corpus of 2,000 rows with two covariates, gold and an annotator's labels; rows are drawn from it with
known probabilities, and a new corpus is made for each draw.  The truth is what the gold of all rows says
of the share of a class and of the coefficient of a covariate on it (linear probability model).

coverage   share of draws whose 95 % interval holds the truth
width      mean width of the interval, x100 (of the naive one: what the usual regression on all labels gives)
rmse       root mean square error, x100

    python benchmarks/validity_downstream.py [--worlds 1000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.coders.sampling_designs import inclusion_probabilities, systematic_draw, uncertainty_sizes
from labelrisk.statistics.design_supervised import design_supervised
from labelrisk.statistics.drawn_rows import Drawn, Estimates, gold_rows_alone, half_width
from labelrisk.statistics.prediction_powered import prediction_powered

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
ROUNDING = 1e-9  # where labels are gold an interval has no width
METHODS = ("naive", "gold rows", "PPI++", "DSL")
ESTIMANDS = ("share", "coefficient")


class World(NamedTuple):
    """share: of the class; false_positives and misses: rates of the annotator's errors where the covariate is low and
    where it is high.
    """

    share: float = 0.3
    false_positives: tuple[float, float] = (0.02, 0.3)
    misses: tuple[float, float] = (0.15, 0.05)
    gold_rows: int = 100
    design: str = "random"
    rows: int = 2000


WORLDS = {
    "errors go with the covariate": World(),
    "the same, drawn by uncertainty": World(design="uncertainty"),
    "the same, 300 gold rows": World(gold_rows=300),
    "the same, 40 gold rows": World(gold_rows=40),
    "errors at random": World(false_positives=(0.1, 0.1), misses=(0.1, 0.1)),
    "labels say nothing": World(false_positives=(0.3, 0.3), misses=(0.7, 0.7)),
    "labels are gold": World(false_positives=(0, 0), misses=(0, 0)),
    "a class of 5 %": World(share=0.05),
    "a class of 5 %, by uncertainty": World(share=0.05, design="uncertainty"),
    "a third of 300 rows drawn": World(rows=300),
}


class Corpus(NamedTuple):
    """design (N, 2), gold and given (N, 1), features (N, 4), probability of each row to be drawn (N,)."""

    design: Floats
    gold: Floats
    given: Floats
    features: Floats
    probabilities: Floats


def corpus_of(world: World, generator: np.random.Generator) -> Corpus:
    """Draw a corpus; the annotator's entropy is high where its errors are many, and elsewhere by chance."""
    covariate = generator.standard_normal(world.rows)
    other = generator.standard_normal(world.rows)
    chance = world.share * np.exp(0.5 * covariate - 0.125)
    gold = generator.random(world.rows) < np.clip(chance, 0, 0.95)
    high = (covariate > 0).astype(int)
    errs = np.where(gold, np.array(world.misses)[high], np.array(world.false_positives)[high])
    given = gold ^ (generator.random(world.rows) < errs)
    ones = np.ones(world.rows)
    probabilities = np.full(world.rows, world.gold_rows / world.rows)
    if world.design == "uncertainty":
        surety = 0.5 + 0.5 * np.clip(1 - 2 * errs + 0.2 * generator.standard_normal(world.rows), 0, 0.999)
        entropies = -surety * np.log(surety) - (1 - surety) * np.log(1 - surety)
        probabilities = inclusion_probabilities(uncertainty_sizes(entropies, 2), world.gold_rows)
    design = np.stack([ones, covariate], axis=1)
    features = np.stack([ones, given, covariate, other], axis=1)
    return Corpus(design, gold[:, None].astype(float), given[:, None].astype(float), features, probabilities)


def estimate(corpus: Corpus, design: Floats, drawn: Drawn) -> Mapping[str, Estimates]:
    """By method, from one or more draws."""
    rows = len(design)
    every = Drawn(np.arange(rows)[None], np.ones(rows))
    return {
        "naive": gold_rows_alone(design, corpus.given, every),
        "gold rows": gold_rows_alone(design, corpus.gold, drawn),
        "PPI++": prediction_powered(design, corpus.gold, corpus.given, drawn),
        "DSL": design_supervised(design, corpus.gold, corpus.given, drawn, corpus.features),
    }


def simulated(world: World, worlds: int, seed: int = 0) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Coverage, width and rmse by estimand and method, over so many corpora with one draw each."""
    kept: dict[str, dict[str, list[tuple[float, float]]]] = {
        what: {method: [] for method in METHODS} for what in ESTIMANDS
    }
    for one in range(worlds):
        generator = np.random.default_rng([seed, one])
        corpus = corpus_of(world, generator)
        if world.design == "uncertainty":
            places = systematic_draw(corpus.probabilities, generator)
        else:
            places = generator.choice(world.rows, world.gold_rows, replace=False)
        drawn = Drawn(places[None], corpus.probabilities)
        for what, design in (("share", corpus.design[:, :1]), ("coefficient", corpus.design)):
            truth = float(np.linalg.lstsq(design, corpus.gold, rcond=None)[0][-1, 0])
            for method, found in estimate(corpus, design, drawn).items():
                errors = found.beyond if method == "naive" else found.errors
                degrees = np.full(errors.shape, np.inf) if method == "naive" else found.degrees
                half = float(half_width(errors, degrees, CONFIDENCE)[0, -1, 0])
                kept[what][method].append((float(found.values[0, -1, 0]) - truth, half))
    return {what: {method: _summary(np.array(pairs)) for method, pairs in of.items()} for what, of in kept.items()}


def _summary(pairs: Floats) -> tuple[float, float, float]:
    errors, halves = pairs.T
    return (
        float((np.abs(errors) <= halves + ROUNDING).mean()),
        200 * float(halves.mean()),
        100 * float((errors**2).mean() ** 0.5),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    worlds = parser.parse_args().worlds
    started = time.perf_counter()
    print(f"{worlds} corpora each: coverage (width; rmse)\n{'':34}{'':12}" + "".join(f"{one:>22}" for one in METHODS))
    for name, world in WORLDS.items():
        for what, found in simulated(world, worlds).items():
            cells = (f"{coverage:.3f} ({width:.1f}; {rmse:.1f})" for coverage, width, rmse in found.values())
            print(f"{name:34}{what:12}" + "".join(f"{cell:>22}" for cell in cells), flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
