"""What a label source costs against the reference source: a difference, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Codes, Floats, confusion, macro_f1, macro_f1_of_margins

Verdict = Literal["reference", "safe", "unclear", "risky"]
Weights = NDArray[np.float32]


class Comparison(NamedTuple):
    """Mean macro-F1 of a source minus that of the reference, the bounds of its interval, and the verdict."""

    difference: float
    low: float
    high: float
    verdict: Verdict


def verdict(low: float, high: float, margin: float) -> Verdict:
    """Judge by non-inferiority: may the loss of macro-F1 exceed `margin`?

    safe: the whole interval lies above -margin, a loss of `margin` or more is ruled out; risky: the whole interval
    lies below -margin, so the loss is larger; unclear: the interval holds -margin, the data can't tell.
    """
    if low > -margin:
        return "safe"
    return "risky" if high < -margin else "unclear"


def run_macro_f1(gold: Codes, predictions: Codes, classes: int) -> Floats:
    """Macro-F1 of each run: gold (N,), predictions (R, N) -> (R,)."""
    return macro_f1(np.stack([confusion(gold, run, classes) for run in predictions]))


def row_weights(rows: int, resamples: int, generator: np.random.Generator) -> Weights:
    """How often each row is drawn in each resample of `rows` rows with replacement: shape (B, N)."""
    return generator.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(np.float32)


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


def compare(
    gold: Codes,
    predictions: Mapping[str, Codes],
    classes: int,
    *,
    reference: str,
    margin: float,
    confidence: float,
    resamples: int,
    seed: int,
) -> dict[str, Comparison]:
    """Compare each source's mean macro-F1 over seeds with the reference's: gold (N,), predictions (R, N) each.

    Two-way bootstrap: test rows are resampled together for both sources (paired), seeds independently within each,
    so the interval is about other test rows and other seeds. Coverage simulated at 95 % with 5 seeds: 0.99 where
    chance per item and seed dominates (crossed resampling counts it more than once, Owen 2007), 0.95 in between, 0.90
    where the seeds dominate (five are few). All sources share the streams: adding one changes no other's interval.
    """
    weights = row_weights(len(gold), resamples, np.random.default_rng([seed, 0]))

    def resampled(source: str, stream: int) -> Floats:
        scores = resampled_macro_f1(gold, predictions[source], classes, weights)
        return seed_means(scores, np.random.default_rng([seed, stream]))

    reference_mean = run_macro_f1(gold, predictions[reference], classes).mean()
    reference_resampled = resampled(reference, 1)
    comparisons = {}
    for source, runs in predictions.items():
        if source == reference:
            comparisons[source] = Comparison(0.0, 0.0, 0.0, "reference")
            continue
        difference = float(run_macro_f1(gold, runs, classes).mean() - reference_mean)
        low, high = interval(resampled(source, 2) - reference_resampled, confidence)
        comparisons[source] = Comparison(difference, low, high, verdict(low, high, margin))
    return comparisons
