"""Scores of predicted against gold labels, from confusion counts; a missing label always counts as wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.class_codes import NO_LABEL

Codes = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class ClassScores(NamedTuple):
    """Precision, recall, F1 (each 0 where undefined) and support; each of shape (..., K)."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Floats


def confusion(gold: Codes, predicted: Codes, classes: int) -> Counts:
    """Count gold (rows) against predicted (columns): shape (K, K + 1), the last column holds missing labels.

    `gold` has shape (N,) with codes 0..K-1, `predicted` has shape (N,) with codes 0..K-1 or -1 (no label).
    """
    cells = gold.astype(np.int64) * (classes + 1) + np.where(predicted == NO_LABEL, classes, predicted)
    return np.bincount(cells, minlength=classes * (classes + 1)).reshape(classes, classes + 1).astype(np.int64)


def coverage(predicted: Codes) -> float:
    """Share of rows that have a label at all; nan without rows."""
    return float(np.mean(predicted != NO_LABEL)) if len(predicted) else float("nan")


def accuracy(counts: NDArray[Any]) -> Floats:
    """Share of rows on the diagonal of `counts`, shape (..., K, K + 1) -> (...); nan without rows.

    Missing labels stay in the denominator: a source can't look better by abstaining.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(np.trace(counts[..., :-1], axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1)))


def class_scores(counts: NDArray[Any]) -> ClassScores:
    """Score each class of `counts`, shape (..., K, K + 1); a missing label is a false negative of its gold class."""
    hits, predicted, support = _margins(counts)
    return ClassScores(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, predicted + support),
        support=support,
    )


def macro_f1(counts: NDArray[Any]) -> Floats:
    """Mean F1 over the declared classes that occur in gold, shape (..., K, K + 1) -> (...); nan without rows.

    Equals scikit-learn's f1_score(average="macro", labels=<classes in gold>, zero_division=0). A class that never
    occurs in gold can't be scored and is left out; predicting it still costs recall in the row's gold class.
    """
    return macro_f1_of_margins(*_margins(counts))


def macro_f1_of_margins(hits: Floats, predicted: Floats, support: Floats) -> Floats:
    """Macro-F1 from per-class (weighted) counts, each (..., K): right, predicted as, and gold; returns (...)."""
    in_gold = support > 0
    f1 = _ratio(2 * hits, predicted + support)
    return _ratio((f1 * in_gold).sum(axis=-1), in_gold.sum(axis=-1), empty=float("nan"))


def rounded(value: float | np.floating[Any] | NDArray[Any] | None) -> float | None:
    """Round one number to 4 decimals for a metrics file; None for nan, which JSON lacks, and for None."""
    if value is None:
        return None
    number = float(value)
    return None if np.isnan(number) else round(number, 4) + 0.0  # + 0.0 turns -0.0 into 0.0


def _margins(counts: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Per class: right, predicted as, and gold; each (..., K)."""
    labelled = counts[..., :-1].astype(np.float64)
    return np.diagonal(labelled, axis1=-2, axis2=-1), labelled.sum(axis=-2), counts.sum(axis=-1).astype(np.float64)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any], empty: float = 0.0) -> Floats:
    """Divide element by element, with `empty` where the denominator is 0."""
    result: Floats = np.full(np.broadcast(numerator, denominator).shape, empty, dtype=np.float64)
    np.divide(numerator, denominator, out=result, where=np.asarray(denominator) > 0)
    return result
