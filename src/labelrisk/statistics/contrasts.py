"""What a family of differences says: which are better, worse or equivalent, with all of them looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import Floats

Decision = Literal["better", "worse", "equivalent", "not decided"]

ROUNDING = 1e-12  # numbers that differ by less are the same, summed in another order


class Contrast(NamedTuple):
    """A difference with its unadjusted interval, its p-values adjusted for the family, and what they decide."""

    estimate: float
    low: float
    high: float
    p_different: float
    p_equivalent: float
    decision: Decision


def p_below(interval: Interval, bound: float) -> float:
    """One-sided p of a true value that is `bound` or more: a small p says that it lies below."""
    return _p(interval.estimate - bound, interval)


def p_above(interval: Interval, bound: float) -> float:
    """One-sided p of a true value that is `bound` or less: a small p says that it lies above."""
    return _p(bound - interval.estimate, interval)


def holm(p: Sequence[float]) -> Floats:
    """Adjusted p-values of a family, (M,): each at most .05 in no more than 5 % of families where it should not be.

    The i-th smallest of M times M - i + 1, at least as large as those before it, at most 1.  Holm, "A Simple
    Sequentially Rejective Multiple Test Procedure" (1979).
    """
    raw = np.asarray(p, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted: Floats = np.empty(len(raw))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def decide(intervals: Sequence[Interval], margin: float, confidence: float) -> list[Contrast]:
    """Decide about all differences that one study asks for; `intervals` are the whole family.

    equivalent: the difference is within -margin and margin, by two one-sided tests (Schuirmann 1987), also where it
    surely isn't 0; better, worse: else, and it isn't 0.  Both families of p-values are adjusted by Holm: at most
    1 - confidence of studies call any difference equivalent that isn't, and as few call any different that is none.
    """
    different = holm([min(1.0, 2 * min(p_below(one, 0.0), p_above(one, 0.0))) for one in intervals])
    equivalent = holm([max(p_above(one, -margin), p_below(one, margin)) for one in intervals])
    return [
        Contrast(*one[:3], float(p), float(tost), _decision(one.estimate, float(p), float(tost), 1 - confidence))
        for one, p, tost in zip(intervals, different, equivalent, strict=True)
    ]


def _decision(estimate: float, p_different: float, p_equivalent: float, level: float) -> Decision:
    if p_equivalent < level:
        return "equivalent"
    if p_different < level:
        return "better" if estimate > 0 else "worse"
    return "not decided"


def _p(beyond: float, interval: Interval) -> float:
    """The chance of an estimate so far or further below a bound that is the truth; 0 or 1 where nothing varies."""
    from scipy.special import stdtr

    if interval.error < ROUNDING:
        return float(beyond > -ROUNDING)
    return float(stdtr(interval.degrees, beyond / interval.error))
