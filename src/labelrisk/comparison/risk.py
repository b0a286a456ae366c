"""What a label source costs against the reference source: a difference, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import Codes, Counts, macro_f1

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
    counts: Mapping[str, Counts],
    *,
    reference: str,
    margin: float,
    confidence: float,
) -> dict[str, Comparison]:
    """Compare each source's mean macro-F1 over seeds with the reference's.

    gold (N,); by source: predictions (R, N), counts (R, K, K + 1).  The interval is about other test rows, the same for
    both sources, and other seeds; see RunVariances, and benchmarks/validity.py for how often it holds the truth.
    """
    variances = RunVariances(gold, predictions, counts, macro_f1)
    comparisons = {}
    for source in predictions:
        if source == reference:
            comparisons[source] = Comparison(0.0, 0.0, 0.0, "reference")
            continue
        found = variances.difference(source, reference, confidence)
        comparisons[source] = Comparison(found.estimate, found.low, found.high, verdict(found.low, found.high, margin))
    return comparisons
