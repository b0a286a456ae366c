"""Intervals from variance components: Student's t with Satterthwaite's degrees of freedom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from labelrisk.statistics.scores import Floats

FEWEST_DEGREES = 1.0


class Component(NamedTuple):
    """A part of the variance of an estimate, and the variance of that part's own estimate."""

    variance: float
    uncertainty: float

    @classmethod
    def chi_square(cls, variance: float, degrees: float) -> Component:
        """A mean square with so many degrees of freedom: Var(s^2) = 2 s^4 / df."""
        return cls(variance, 2 * variance**2 / degrees)


class Interval(NamedTuple):
    """An estimate, the bounds of its interval, its standard error, and the degrees of freedom of that (inf: known)."""

    estimate: float
    low: float
    high: float
    error: float
    degrees: float


def t_interval(estimate: float, components: Sequence[Component], confidence: float) -> Interval:
    """estimate -+ t sqrt(v), v the sum of the components, with df = 2 v^2 / (sum of their uncertainties).

    Satterthwaite, "An Approximate Distribution of Estimates of Variance Components" (1946).
    """
    from scipy.special import stdtrit

    variance = max(sum(one.variance for one in components), 0.0)
    uncertainty = sum(one.uncertainty for one in components)
    degrees = float(max(2 * variance**2 / uncertainty, FEWEST_DEGREES)) if uncertainty > 0 else float(np.inf)
    error = float(np.sqrt(variance))
    half = float(stdtrit(degrees, (1 + confidence) / 2)) * error
    return Interval(estimate, estimate - half, estimate + half, error, degrees)


def rows_interval(estimate: float, influences: Floats, confidence: float) -> Interval:
    """An estimate that varies with the rows alone: influences (N,), centred; the jackknife over rows."""
    rows = len(influences)
    variance = float((influences**2).sum()) / (rows * (rows - 1))
    return t_interval(estimate, [Component.chi_square(variance, rows - 1)], confidence)


def excess(total: float, known: float, degrees: float) -> Component:
    """What a mean square `total` with so many degrees of freedom has beyond a part that is known well, at least 0.

    A difference cut off at 0 would be 0 half of the time where nothing is in excess.  Taken is the mean of max(0, x),
    and its variance, for x normal around the difference with the mean square's own error.
    """
    from scipy.special import ndtr

    error = total * np.sqrt(2 / degrees)
    if error <= 0:
        return Component(max(total - known, 0.0), 0.0)
    difference = total - known
    z = difference / error
    below, density = float(ndtr(z)), float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    mean = difference * below + error * density
    square = (difference**2 + error**2) * below + difference * error * density
    return Component(mean, max(square - mean**2, 0.0))
