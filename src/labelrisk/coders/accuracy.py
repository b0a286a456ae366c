"""An annotator against human labels: accuracy, and precision, recall and F1 of each class, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from labelrisk.statistics.agreement import kappa
from labelrisk.statistics.bootstrap import row_weights
from labelrisk.statistics.scores import (
    Codes,
    Floats,
    class_scores,
    confusion,
    coverage,
    macro_f1,
    macro_f1_of_margins,
    rounded,
)

CONFIDENCE = 0.95
RESAMPLES = 1000
UNIFORM = 1e-3  # relative difference of sampling probabilities below which a design counts as uniform


def scores_against(
    human: Codes, predicted: Codes, probabilities: Floats, labels: Sequence[str], seed: int
) -> dict[str, Any]:
    """Score predicted (N,), -1 for no label, against human labels (N,), each 0..K-1; None for what is undefined.

    A row without a predicted label is not covered and counts as wrong.  All but the weighted accuracy is about the
    drawn rows.  Intervals, 95 %: accuracy, precision and recall by Wilson's score interval for a share (honest for
    few rows and for 0 or 100 %), F1, macro-F1 and the weighted accuracy by percentiles of 1,000 seeded resamples of
    rows; a resample in which a class's F1 is undefined (neither predicted nor right) is left out for that class.
    Such percentiles are too narrow for a handful of rows, and have no width where F1 is 0 or 1: mind `rows`.
    weighted_accuracy: Hajek's, with probabilities (N,) the rows' sampling probabilities: sum (right / pi) /
    sum (1 / pi); an estimate for all rows that were drawn from.  None if a probability is unknown (nan) or all are
    equal, where it would be the accuracy itself.
    """
    classes, rows = len(labels), len(human)
    counts = confusion(human, predicted, classes)
    of_class = class_scores(counts)
    hits, given = np.diagonal(counts), counts[:, :-1].sum(axis=0)
    right = human == predicted
    draws = row_weights(rows, RESAMPLES, np.random.default_rng(seed)).astype(np.float64) if rows else np.empty((0, 0))
    f1s, macro_f1s = _resampled_f1(human, predicted, classes, draws)
    weights = _weights(probabilities)
    scores: dict[str, Any] = {"rows": rows, "coverage": rounded(coverage(predicted))}
    scores |= _share("accuracy", int(right.sum()), rows)
    weighted = None if weights is None else float(weights @ right / weights.sum())
    resampled = np.empty(0) if weights is None else (draws @ (weights * right)) / (draws @ weights)
    scores |= _with_percentiles("weighted_accuracy", weighted, resampled)
    scores |= {"kappa": rounded(kappa(human, predicted))}
    scores |= _with_percentiles("macro_f1", float(macro_f1(counts)), macro_f1s)
    scores["classes"] = {
        label: {"rows": int(of_class.support[code]), "predicted": int(given[code])}
        | _share("precision", int(hits[code]), int(given[code]))
        | _share("recall", int(hits[code]), int(of_class.support[code]))
        | _with_percentiles(
            "f1", float(of_class.f1[code]) if given[code] + of_class.support[code] else None, f1s[:, code]
        )
        for code, label in enumerate(labels)
    }
    return scores


def _share(name: str, hits: int, of: int) -> dict[str, float | None]:
    """A share with the bounds of its Wilson interval."""
    if not of:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    interval = binomtest(hits, of).proportion_ci(CONFIDENCE, method="wilson")
    return {name: rounded(hits / of), f"{name}_low": rounded(interval.low), f"{name}_high": rounded(interval.high)}


def _with_percentiles(name: str, value: float | None, resampled: Floats) -> dict[str, float | None]:
    """A number with the percentiles of its resamples as bounds; nan among these is left out."""
    defined = resampled[~np.isnan(resampled)]
    if value is None or np.isnan(value) or not len(defined):
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return {name: rounded(value), f"{name}_low": rounded(low), f"{name}_high": rounded(high)}


def _resampled_f1(human: Codes, predicted: Codes, classes: int, draws: Floats) -> tuple[Floats, Floats]:
    """F1 of each class, (B, K) with nan where undefined, and macro-F1, (B,), of resamples with draws (B, N)."""
    if not len(draws):
        return np.empty((0, classes)), np.empty(0)
    is_human, is_predicted = (codes[:, None] == np.arange(classes) for codes in (human, predicted))
    hits, given, support = (draws @ table for table in (is_human & is_predicted, is_predicted, is_human))
    with np.errstate(invalid="ignore"):
        return 2 * hits / (given + support), macro_f1_of_margins(hits, given, support)


def _weights(probabilities: Floats) -> Floats | None:
    """1 / pi of each row, or None where a probability is unknown or all are equal."""
    if not len(probabilities) or np.isnan(probabilities).any():
        return None
    uniform = probabilities.max() - probabilities.min() <= UNIFORM * probabilities.max()
    return None if uniform else 1 / probabilities
