"""How well a score tells rows with an event from rows without: AUC inside cells of rows, with its interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.intervals import Component, Interval, rows_interval, t_interval
from labelrisk.statistics.scores import Codes, Floats


def auc_within(scores: Floats, events: NDArray[np.bool_], cells: Codes, confidence: float) -> Interval:
    """Of pairs of a row with the event and one without, in one cell, the share in which the former scores higher.

    scores, events, cells (N,); ties count half.  A cell with n rows with the event and m without has the weight
    n m / (n + m), as van Elteren (1960) weighs strata; nan where no cell has both.  So neither scores of different
    heads, whose folds are cells, nor rows of different classes are compared.  The interval is the jackknife over rows,
    in closed form: without a row with the event, which beats a share v of the other rows of its cell, the cell's
    weighted AUC is m (n A - v) / (n + m - 1), and so on.  Scores are taken as they are: what other rows to fit on would
    change is not in it, as in LeDell, Petersen & van der Laan, "Computationally Efficient Confidence Intervals for
    Cross-validated Area under the ROC Curve Estimates" (2015).
    """
    from scipy.stats import rankdata

    parts: list[tuple[Floats, Floats, float, float]] = []  # of a cell: sums and weights without each row, and with all
    for cell in np.unique(cells):
        inside = np.flatnonzero(cells == cell)
        event, score = events[inside], scores[inside]
        n, m = int(event.sum()), int((~event).sum())
        if n == 0 or m == 0:
            continue
        ranks, own = rankdata(score), np.empty(len(inside))
        own[event] = (ranks[event] - rankdata(score[event])) / m  # the share of rows without that it beats
        own[~event] = 1 - (ranks[~event] - rankdata(score[~event])) / n  # the share of rows with that beat it
        auc, others = float(own[event].mean()), max(n + m - 1, 1)
        left = np.where(event, m * (n * auc - own), n * (m * auc - own)) / others
        weights = np.where(event, (n - 1) * m, n * (m - 1)) / others
        parts.append((left, weights, auc * n * m / (n + m), n * m / (n + m)))
    if not parts:
        return Interval(*[float("nan")] * 5)
    sums, weight = sum(part[2] for part in parts), sum(part[3] for part in parts)
    rows = sum(len(part[0]) for part in parts)
    without = np.concatenate([(sums - of + left) / _some(weight - size + w) for left, w, of, size in parts])
    influences = (rows - 1) * (sums / weight - without)
    found = rows_interval(sums / weight, influences - influences.mean(), confidence)
    return found._replace(low=max(found.low, 0.0), high=min(found.high, 1.0))


def cross_fitted_auc(scores: Floats, events: NDArray[np.bool_], cells: Codes, confidence: float) -> Interval:
    """auc_within of scores by heads that were each fitted on the other folds, with an interval that holds where the
    scores tell nothing.

    There scores point wherever chance led the fit.  Rows i and j then meet twice: i informs the score of j, and j that
    of i, by one and the same product of their noise.  So the sum over all rows has twice the variance that rows have
    which are scored by something fixed, for any number of folds (Bengio & Grandvalet, "No Unbiased Estimator of the
    Variance of K-Fold Cross-Validation", 2004, say why none can be read off the scores).  Twice is taken throughout;
    where the scores tell much, it is wider than need be.
    """
    found = auc_within(scores, events, cells, confidence)
    twice = t_interval(found.estimate, [Component.chi_square(2 * found.error**2, found.degrees)], confidence)
    return twice._replace(low=max(twice.low, 0.0), high=min(twice.high, 1.0))


def _some(weights: Floats) -> Floats:
    """Without its one pair a lone cell has no AUC: the weight is then kept from being 0."""
    kept: Floats = np.where(weights > 0, weights, np.inf)
    return kept
