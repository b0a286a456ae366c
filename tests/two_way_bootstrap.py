"""A bootstrap over rows and seeds: slow, crossed, and independent of the closed form that it is held against."""

from __future__ import annotations

import numpy as np

from labelrisk.statistics.bootstrap import Weights, row_weights
from labelrisk.statistics.scores import Codes, Floats, confusion, macro_f1, macro_f1_of_margins


def run_macro_f1(gold: Codes, predictions: Codes, classes: int) -> Floats:
    """Macro-F1 of each run: gold (N,), predictions (R, N) -> (R,)."""
    return macro_f1(np.stack([confusion(gold, run, classes) for run in predictions]))


def resampled_macro_f1(gold: Codes, predictions: Codes, classes: int, weights: Weights) -> Floats:
    """Macro-F1 of each run on each resample: gold (N,), predictions (R, N), weights (B, N) -> (B, R).

    All counts are whole numbers below 2**24, so single precision is exact and the result doesn't depend on the
    number of threads. A resample without a rare gold class is scored on the classes that it has.
    """
    codes = np.arange(classes)
    is_gold = gold[:, None] == codes
    support = weights @ is_gold.astype(np.float32)
    scores = np.empty((len(weights), len(predictions)))
    for column, run in enumerate(predictions):
        is_predicted = run[:, None] == codes
        hits_and_predicted = weights @ np.hstack([is_predicted & is_gold, is_predicted]).astype(np.float32)
        hits, predicted = np.hsplit(hits_and_predicted.astype(np.float64), 2)
        scores[:, column] = macro_f1_of_margins(hits, predicted, support.astype(np.float64))
    return scores


def seed_means(scores: Floats, generator: np.random.Generator) -> Floats:
    """Mean over a resample of the seeds in each resample of the rows: shape (B, R) -> (B,).

    R - 1 of R seeds are drawn with replacement: drawing R would understate the variance of a mean by (R - 1) / R, a
    fifth with 5 seeds (McCarthy & Snowden 1985; Rao & Wu 1988). One seed alone is kept: nothing is known of others.
    """
    resamples, seeds = scores.shape
    drawn = generator.integers(seeds, size=(resamples, max(seeds - 1, 1)))
    mean: Floats = np.take_along_axis(scores, drawn, axis=1).mean(axis=1)
    return mean


def interval(values: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval of resampled `values`, shape (B,)."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bootstrapped_difference(gold: Codes, one: Codes, other: Codes, classes: int, resamples: int, seed: int) -> Floats:
    """Mean macro-F1 of `other` minus that of `one`, resampled: rows together, seeds apart; shape (B,)."""
    weights = row_weights(len(gold), resamples, np.random.default_rng([seed, 0]))
    means = [
        seed_means(resampled_macro_f1(gold, runs, classes, weights), np.random.default_rng([seed, stream]))
        for stream, runs in enumerate((one, other), 1)
    ]
    difference: Floats = means[1] - means[0]
    return difference
