"""What learning curves say without a law: late gains, and at how many rows one passes another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelrisk.statistics.power_laws import Range
from labelrisk.statistics.score_points import ScorePoints
from labelrisk.statistics.scores import Floats

PLACES = 201  # numbers of rows that are looked at, evenly in their logarithm


class Crossing(NamedTuple):
    """From how many rows on one curve lies above another.

    rows: where the difference changes from 0 or less to more for the last time, None where it does not.  low, high:
    between them lie all numbers of rows at which the difference may be 0; None where there are none.
    start, end: whether it is surely above (1), surely below (-1) or neither (0) with the fewest rows, and the most.
    """

    rows: float | None
    low: float | None
    high: float | None
    start: int
    end: int


def at_rows(points: ScorePoints, source: str, rows: float) -> Floats:
    """Weights (S,) of the points that give a source's score at so many rows, linear in log rows between its sizes.

    rows: within the sizes of the source; beyond them the nearest size.
    """
    own, weights = points.of(source), np.zeros(len(points.rows))
    sizes = points.rows[own]
    after = int(np.clip(np.searchsorted(sizes, rows), 1, len(sizes) - 1)) if len(sizes) > 1 else 0
    if after == 0:
        weights[own[0]] = 1.0
        return weights
    share = np.log(rows / sizes[after - 1]) / np.log(sizes[after] / sizes[after - 1])
    weights[own[after]] = np.clip(share, 0.0, 1.0)
    weights[own[after - 1]] = 1 - weights[own[after]]
    return weights


def late_rows(points: ScorePoints, one: str, other: str, part: float) -> Floats:
    """The numbers of rows (P,), rising, at which two sources are compared late in their curves: the end, which is the
    most rows that both have, and the sizes that both have from end / part on.
    """
    mine, others = (points.rows[points.of(name)] for name in (one, other))
    end = min(mine.max(), others.max())
    both = np.intersect1d(mine, others)
    found: Floats = np.append(both[(both >= end / part) & (both < end)], end)
    return found


def slope(points: ScorePoints, source: str, rows: Floats) -> Floats:
    """Weights (S,) of the points that give what doubling the rows buys: the least-squares slope in log2 rows of the
    scores at these numbers of rows, two or more of them and within the sizes of the source.
    """
    doublings = np.log2(rows)
    doublings = doublings - doublings.mean()
    at = np.stack([at_rows(points, source, float(of)) for of in rows])
    found: Floats = doublings @ at / (doublings**2).sum()
    return found


def crossing(points: ScorePoints, one: str, other: str, confidence: float) -> Crossing | None:
    """Where a source passes another at equal numbers of rows; None where they have no range of sizes in common."""
    sizes = [points.rows[points.of(name)] for name in (one, other)]
    low, high = max(of.min() for of in sizes), min(of.max() for of in sizes)
    if not low < high:
        return None
    places = np.geomspace(low, high, PLACES)
    return _crossing(points, places, [at_rows(points, one, n) - at_rows(points, other, n) for n in places], confidence)


def worth(points: ScorePoints, one: str, other: str, confidence: float) -> Crossing | None:
    """With how many rows a source passes what another reaches with all its rows; None for a source of one size."""
    sizes = points.rows[points.of(one)]
    if len(sizes) < 2:
        return None
    places, all_rows = np.geomspace(sizes.min(), sizes.max(), PLACES), np.zeros(len(points.rows))
    all_rows[points.of(other)[-1]] = 1.0
    return _crossing(points, places, [at_rows(points, one, n) - all_rows for n in places], confidence)


def _crossing(points: ScorePoints, places: Floats, weights: list[Floats], confidence: float) -> Crossing:
    """A test inverted, as Fieller's: the interval holds all places at which a difference of 0 isn't ruled out, so that
    a true crossing is among them with the confidence.  Fieller, "Some Problems in Interval Estimation" (1954).
    """
    found = [points.contrast(of, confidence) for of in weights]
    signs = np.array([int(one.low > 0) - int(one.high < 0) for one in found])
    differences = np.array([one.estimate for one in found])
    changes = np.flatnonzero((differences[:-1] <= 0) & (differences[1:] > 0))
    rows = _zero(places, differences, int(changes[-1])) if len(changes) else None
    # a surely different sign at the next place: the difference is 0 between the two
    steps = [_zero(places, differences, int(at)) for at in np.flatnonzero(signs[:-1] * signs[1:] < 0)]
    zeros = [*places[signs == 0].tolist(), *steps]
    return Crossing(rows, min(zeros, default=None), max(zeros, default=None), int(signs[0]), int(signs[-1]))


def _zero(places: Floats, differences: Floats, at: int) -> float:
    """Where the difference is 0 between a place and the next, linear in log rows."""
    share = -differences[at] / (differences[at + 1] - differences[at])
    return float(places[at] * (places[at + 1] / places[at]) ** share)


def difference(one: Range, other: Range) -> Range:
    """The difference of two numbers by their intervals (MOVER), for numbers that err apart from each other.

    Zou & Donner, "Construction of confidence limits about effect measures" (2008), equation 8; too wide where both err
    in the same direction, as two sources on the same test rows do.
    """
    estimate = one.estimate - other.estimate
    below = np.hypot(one.estimate - one.low, other.high - other.estimate)
    above = np.hypot(one.high - one.estimate, other.estimate - other.low)
    return Range(estimate, estimate - float(below), estimate + float(above))
