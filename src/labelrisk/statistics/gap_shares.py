"""Which share of the gap between two sources a third one closes, with Fieller's interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from labelrisk.statistics.intervals import Interval

FURTHEST = 1e6  # a share beyond which no bound is looked for


class Contrasts(Protocol):
    """What gives intervals of sums of named numbers: RunVariances, JointVariances."""

    def contrast(self, weights: Mapping[str, float], confidence: float) -> Interval:
        """The weighted sum."""

    def difference(self, source: str, reference: str, confidence: float) -> Interval:
        """One number minus another."""


def share_of_gap(variances: Contrasts, between: str, low: str, high: str, confidence: float) -> Interval:
    """(m - l) / (h - l) of mean scores, with the shares r that m - l - r (h - l) = 0 does not contradict.

    So a share of r or less is ruled out where that contrast is surely above 0.  Only for a gap that surely is above 0:
    else the bounds may not exist.  `error` is that of the numerator over the gap.
    Fieller, "Some Problems in Interval Estimation" (1954).
    """

    def contrast(share: float) -> Interval:
        return variances.contrast({between: 1.0, low: share - 1.0, high: -share}, confidence)

    gap = variances.difference(high, low, confidence).estimate
    estimate = variances.difference(between, low, confidence).estimate / gap
    at = contrast(estimate)
    return Interval(
        estimate,
        _bound(lambda share: contrast(share).low, estimate, -1.0),
        _bound(lambda share: -contrast(share).high, estimate, 1.0),
        at.error / gap,
        at.degrees,
    )


def _bound(beyond: Callable[[float], float], estimate: float, direction: float) -> float:
    """Where `beyond` becomes positive, from the estimate in one direction."""
    from scipy.optimize import brentq

    if beyond(estimate) >= -1e-12:  # nothing varies
        return estimate
    near, step = estimate, 0.25
    while beyond(far := near + direction * step) <= 0:
        near, step = far, 2 * step
        if step > FURTHEST:
            return direction * float("inf")
    return float(brentq(beyond, near, far))
