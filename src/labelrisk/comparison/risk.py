"""What a label source costs against the reference source: a difference, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from labelrisk.statistics.bootstrap import interval, resampled_macro_f1, row_weights, run_macro_f1, seed_means
from labelrisk.statistics.scores import Codes, Floats

Verdict = Literal["reference", "safe", "unclear", "risky"]


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
