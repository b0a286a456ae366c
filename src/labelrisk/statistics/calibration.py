"""Whether probabilities say how often they are right: calibration error without its bias, Brier score and log loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.bins import equal_mass
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.shares import wilson

LEAST = 1e-6  # of a probability in a log loss, so that one that was said to be 0 does not make it infinite


class TopLabels(NamedTuple):
    """The likeliest class of each row: its probability, and 1.0 where it is the gold class, else 0.0; (..., N)."""

    confidence: Floats
    right: Floats


class BinnedErrors(NamedTuple):
    """What binned confidences are off by.

    plain: the expected calibration error, sum_b n_b / N |accuracy_b - confidence_b|; by_chance: what it would be on
    average if confidences were right; squared: the mean square without bias; influences (N,): of the rows on `squared`.
    """

    plain: float
    by_chance: float
    squared: float
    influences: Floats


class Bin(NamedTuple):
    """One point of a reliability curve: rows (of all runs together), mean confidence, accuracy with its band."""

    rows: int
    confidence: float
    accuracy: float
    low: float
    high: float


def top_labels(probabilities: NDArray[Any], gold: Codes) -> TopLabels:
    """The top labels of probabilities (..., N, K) on rows with gold (N,); the first in class order wins a tie."""
    best = probabilities.argmax(axis=-1)
    confidence = np.take_along_axis(probabilities, best[..., None], axis=-1)[..., 0]
    return TopLabels(confidence.astype(np.float64), (best == gold).astype(np.float64))


def brier_rows(probabilities: NDArray[Any], gold: Codes) -> Floats:
    """sum_k (p_k - [k is gold])^2 by row, from 0 to 2: (N, K) -> (N,).  Brier (1950).

    With two classes it is twice the square of the error of one class, which some call by the same name.
    """
    of_gold = probabilities[np.arange(len(gold)), gold].astype(np.float64)
    squares = np.einsum("nk,nk->n", probabilities, probabilities, dtype=np.float64)
    found: Floats = squares - 2 * of_gold + 1
    return found


def log_loss_rows(probabilities: NDArray[Any], gold: Codes) -> Floats:
    """-log max(p of gold, 1e-6) by row, in nats: (N, K) -> (N,)."""
    found: Floats = -np.log(np.maximum(probabilities[np.arange(len(gold)), gold].astype(np.float64), LEAST))
    return found


def binned_errors(top: TopLabels, bins: int, least: int) -> BinnedErrors:
    """Calibration errors of the top labels (N,) of one run in bins of equal mass, of `least` rows (3 or more).

    With residuals r = right - confidence, S_b = sum r and Q_b = sum r^2 in bin b, the mean square without bias is
    sum_b n_b / N (S_b^2 - Q_b) / (n_b (n_b - 1)): products of different rows alone.  It is 0 on average where
    confidences are right, also below 0.  It is the debiased estimator of Kumar, Liang & Ma, "Verified Uncertainty
    Calibration" (2019), where confidences of a bin are all equal, and holds where they are not, too.
    influences: (N - 1) (square - square without the row), centred, at bins as they are.
    by_chance: sum_b sqrt(2 / pi sum s (1 - s)) / N for confidences s, as right ones have normal S_b.  Broecker & Smith,
    "Increasing the Reliability of Reliability Diagrams" (2007), draw it instead.
    """
    residuals, number = top.right - top.confidence, len(top.right)
    codes = equal_mass(top.confidence, bins, least)
    rows, total, squares, chance = (
        np.bincount(codes, weights)
        for weights in (None, residuals, residuals**2, top.confidence * (1 - top.confidence))
    )
    parts = (total**2 - squares) / np.maximum(rows - 1, 1)
    without = ((total[codes] - residuals) ** 2 - (squares[codes] - residuals**2)) / np.maximum(rows[codes] - 2, 1)
    left = (parts.sum() - parts[codes] + without) / max(number - 1, 1)
    squared = float(parts.sum()) / number
    influences = (number - 1) * (squared - left)
    return BinnedErrors(
        plain=float(np.abs(total).sum()) / number,
        by_chance=float(np.sqrt(2 / np.pi * np.maximum(chance, 0.0)).sum()) / number,
        squared=squared,
        influences=influences - influences.mean(),
    )


def reliability(top: TopLabels, bins: int, least: int, confidence: float) -> list[Bin]:
    """The reliability curve of all runs together, (R, N), in bins of equal mass.

    Its bands are Wilson's for as many independent rows as the accuracy of the bin is worth: a (1 - a) / v, v its
    variance over rows and runs, v_rows + v_runs - v_both of the linearised ratio.  A row that all runs get wrong counts
    little more than once.  Cameron, Gelbach & Miller, "Robust Inference with Multiway Clustering" (2011).
    """
    runs = len(top.right)
    codes = equal_mass(top.confidence.ravel(), bins, least).reshape(top.right.shape)
    found = []
    for code in range(int(codes.max()) + 1):
        inside = codes == code
        rows = int(inside.sum())
        accuracy = float(top.right[inside].mean())
        parts = np.where(inside, top.right - accuracy, 0.0) / rows
        both, by_row = float((parts**2).sum()), float((parts.sum(axis=0) ** 2).sum())
        by_run = float((parts.sum(axis=1) ** 2).sum()) * runs / (runs - 1) if runs > 1 else both
        variance = max(by_row + by_run - both, by_row)
        distinct = int(inside.any(axis=0).sum())
        worth = accuracy * (1 - accuracy) / variance if variance > 0 else float(distinct)
        worth = min(max(worth, 1.0), float(rows))
        low, high = wilson(accuracy * worth, worth, confidence)[1:]
        found.append(Bin(rows, float(top.confidence[inside].mean()), accuracy, low, high))
    return found


def log_temperature_influences(scaled: Floats, gold: Codes) -> Floats:
    """How much each row moves log T: probabilities at the fitted temperature T (n, K), of rows with gold -> (n,).

    A row's slope of the log loss over its mean curvature: with l = log p, (E_p[l] - l_gold) / mean Var_p(l); the sum of
    slopes is 0 at the fitted T.  Of probabilities that T does not change, nan.
    """
    logs = np.log(np.maximum(scaled, LEAST))
    mean = (scaled * logs).sum(axis=1)
    curvature = float(((scaled * logs**2).sum(axis=1) - mean**2).mean())
    if curvature < LEAST:
        return np.full(len(gold), np.nan)
    slopes: Floats = (mean - logs[np.arange(len(gold)), gold]) / curvature
    return slopes
