"""Bounds on a share of errors that hold with stated confidence for every number of rows: the exact binomial.

They are about one fixed way of answering and rows that had no part in making it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from labelrisk.statistics.scores import Floats

MOST_ROWS = 10**7  # more are not looked for


def upper_bound(errors: ArrayLike, of: ArrayLike, confidence: float) -> Floats:
    """The share that the true share of errors lies below or at with this confidence; 1 where no row is right.

    errors, of: counts of any one shape.  The quantile `confidence` of Beta(k + 1, n - k).  Clopper & Pearson, "The Use
    of Confidence or Fiducial Limits Illustrated in the Case of the Binomial" (1934), one side of it.
    """
    from scipy.special import betaincinv

    wrong, rows = np.broadcast_arrays(np.asarray(errors, dtype=np.float64), np.asarray(of, dtype=np.float64))
    right = np.maximum(rows - wrong, 0.5)  # where none is right the quantile is of no use
    return np.where(rows > wrong, betaincinv(wrong + 1, right, confidence), 1.0)


def lower_bound(errors: ArrayLike, of: ArrayLike, confidence: float) -> Floats:
    """The share that the true share of errors lies above or at with this confidence: upper_bound of the right rows."""
    wrong, rows = np.asarray(errors), np.asarray(of)
    return 1 - upper_bound(rows - wrong, rows, confidence)


def p_above(errors: ArrayLike, of: ArrayLike, risk: float) -> Floats:
    """The chance of so few errors, or fewer, in so many rows of which a share `risk` is wrong; 1 without rows.

    An exact p-value of a true share of `risk` or more: upper_bound(..., 1 - p) is `risk`.
    """
    from scipy.special import bdtr

    wrong, rows = np.broadcast_arrays(np.asarray(errors), np.asarray(of))
    return np.where(rows > 0, bdtr(wrong.astype(np.float64), np.maximum(rows, 1), risk), 1.0)


def fewest_rows(errors: int, risk: float, level: float) -> int:
    """The fewest rows with so many errors whose p_above is at most `level`: log(level) / log(1 - risk) without any."""
    return _fewest(lambda rows: float(p_above(errors, rows, risk)) <= level, errors + 1) or MOST_ROWS


def rows_at_rate(rate: float, risk: float, level: float) -> int | None:
    """As many rows as show a share of errors below `risk`, if `rate` of them are wrong, rounded up; None if it isn't.

    Errors are whole, so that a few fewer rows may do, too.
    """
    if rate >= risk:
        return None
    return _fewest(lambda rows: float(p_above(int(np.ceil(rate * rows)), rows, risk)) <= level, 1)


def _fewest(is_enough: Callable[[int], bool], start: int) -> int | None:
    """The end of a search by doubling, then halving, up to MOST_ROWS."""
    high = start
    while not is_enough(high):
        high *= 2
        if high > MOST_ROWS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
