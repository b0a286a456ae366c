"""More scores as functions of confusion counts: Matthews' correlation, and recall and F1 of one class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats, class_scores

Metric = Callable[[NDArray[Any]], Floats]  # of confusion counts (..., K, K + 1) -> (...)


def mcc(counts: NDArray[Any]) -> Floats:
    """Matthews' correlation over all classes, counts (..., K, K + 1) -> (...); 0 where gold or predicted is constant.

    R_K = (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2)): c right, s rows, p_k predicted as k,
    t_k gold k; "no label" is one more predicted class.  Gorodkin, "Comparing Two K-Category Assignments by a K-Category
    Correlation Coefficient" (2004).
    """
    table = counts.astype(np.float64)
    right = np.trace(table[..., :-1], axis1=-2, axis2=-1)
    gold, predicted, rows = table.sum(axis=-1), table.sum(axis=-2), table.sum(axis=(-2, -1))
    covariance = np.asarray(right * rows - (predicted[..., :-1] * gold).sum(axis=-1))
    spread = np.asarray((rows**2 - (predicted**2).sum(axis=-1)) * (rows**2 - (gold**2).sum(axis=-1)))
    result: Floats = np.zeros(covariance.shape)
    np.divide(covariance, np.sqrt(spread), out=result, where=spread > 0)
    return result


def recall_of(code: int) -> Metric:
    """The recall of one class."""
    return lambda counts: class_scores(counts).recall[..., code]


def f1_of(code: int) -> Metric:
    """The F1 of one class."""
    return lambda counts: class_scores(counts).f1[..., code]
