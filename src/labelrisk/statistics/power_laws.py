"""Learning curves as power laws with a plateau, score(n) = plateau - to_come (n / N)^-power, N the largest size.

The form: Figueroa et al., "Predicting sample size required for classification performance" (2012), and the survey of
Viering & Loog, "The Shape of Learning Curves" (2021), arXiv 2103.10948.  Intervals: Venzon & Moolgavkar, "A Method for
Computing Profile-Likelihood-Based Confidence Intervals" (1988).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from labelrisk.statistics.scores import Floats

FEWEST = 4  # sizes: three of them are passed by a curve of three numbers in any case
POWER_BOUNDS = LEAST_POWER, MOST_POWER = 0.1, 3.0
POWERS, PLATEAUS, PASSES = 60, 241, 2  # of the grid
SPAN = 8.0  # standard errors below the highest score from which on plateaus are looked at
MISFIT = 0.01  # p of the points' distances below which they follow no power law


class Law(NamedTuple):
    """plateau; to_come: how far below it the largest size lies; power.  Numbers, or arrays of one shape."""

    plateau: Floats
    to_come: Floats
    power: Floats


class Range(NamedTuple):
    """An estimate, and the bounds of its interval."""

    estimate: float
    low: float
    high: float


class PowerLaw(NamedTuple):
    """The law that fits best, and all that fit: the region of the confidence that was asked for, (G,) each.

    largest: N.  p: how likely points lie so far or further from the best law if they follow one; nan with four of them.
    """

    best: Law
    region: Law
    largest: float
    p: float

    def range_of(self, function: Callable[[Law], Floats]) -> Range:
        """A number of the law, and between what it lies."""
        found = function(self.region)
        best = float(function(self.best))
        return Range(best, min(best, float(found.min())), max(best, float(found.max())))

    @property
    def plateau(self) -> Range:
        """What is reached with ever more rows."""
        return self.range_of(lambda law: law.plateau)

    @property
    def told(self) -> bool:
        """Whether a plateau below a perfect score is told from growth without end, and the points follow a law."""
        return self.plateau.high < 1 - 1e-9 and not self.p < MISFIT

    def gain(self, start: float, end: float) -> Range:
        """What rows from one number to another buy."""
        one, other = start / self.largest, end / self.largest
        return self.range_of(lambda law: law.to_come * (one**-law.power - other**-law.power))

    def flat_from(self, margin: float) -> Range:
        """From how many rows on twice as many buy less than the margin; 1 where they always do."""

        def rows(law: Law) -> Floats:
            doubling = law.to_come * (1 - 2.0**-law.power)  # what it buys at the largest size
            return np.exp(np.minimum(np.log(np.maximum(doubling, 1e-300) / margin) / law.power, 600.0)) * self.largest

        found = self.range_of(rows)
        return Range(*(max(1.0, value) for value in found))

    def at(self, rows: Floats) -> Floats:
        """The best law at so many rows."""
        found: Floats = self.best.plateau - self.best.to_come * (rows / self.largest) ** -self.best.power
        return found


def power_law(rows: Floats, scores: Floats, covariance: Floats, degrees: float, confidence: float) -> PowerLaw:
    """Fit rows (S,) and scores (S,) from 0 to 1, at least FEWEST, with the covariance of the scores (S, S).

    scipy's curve_fit gives the best law within bounds: a plateau from 0 to 1, never falling, a power from 0.1 to 3.  A
    law belongs to the region where its squared distance from the points exceeds the best one's by at most t^2, with
    `degrees` of freedom; a number of the law then lies between its least and greatest over the region.
    """
    from scipy.optimize import curve_fit
    from scipy.special import fdtrc, stdtrit

    largest, weights = float(rows.max()), np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    lowest = max(0.0, float((scores - SPAN * np.sqrt(np.diag(covariance))).max()))
    threshold = float(stdtrit(degrees, (1 + confidence) / 2)) ** 2
    search = _Distances(rows / largest, scores, weights)
    start, region = search.over((lowest, 1.0), (LEAST_POWER, MOST_POWER), threshold)

    def scores_of(size: Floats, plateau: float, to_come: float, power: float) -> Floats:
        found: Floats = plateau - to_come * (size / largest) ** -power
        return found

    found, _ = curve_fit(
        scores_of, rows, scores, p0=[*start], sigma=covariance, absolute_sigma=True,
        bounds=([0, 0, LEAST_POWER], [1, 1, MOST_POWER]),
    )  # fmt: skip
    for _ in range(PASSES):  # each on a finer grid around what was found
        _, region = search.over(_around(region.plateau, 0.0, 1.0), _around(region.power, *POWER_BOUNDS), threshold)
    rest, spare = scores_of(rows, *found) - scores, len(rows) - 3
    p = float(fdtrc(spare, degrees, rest @ weights @ rest / spare)) if len(rows) > FEWEST else float("nan")
    return PowerLaw(Law(*np.array(found)), region, largest, p)


def _around(values: Floats, low: float, high: float) -> tuple[float, float]:
    """The range of values, a little wider, within bounds."""
    beside = (values.max() - values.min()) / PLATEAUS + 1e-6
    return max(low, float(values.min() - beside)), min(high, float(values.max() + beside))


class _Distances:
    """Squared distances of laws from points: of plateau and power on a grid, quadratic in what is to come."""

    def __init__(self, shares: Floats, scores: Floats, weights: Floats) -> None:
        self._shares, self._scores, self._weights = shares, scores, weights

    def over(self, plateau: tuple[float, float], power: tuple[float, float], threshold: float) -> tuple[Law, Law]:
        """Between these plateaus and powers: the nearest law, and both ends of what is to come of all laws that are
        further by at most the threshold.
        """
        plateaus, powers = np.linspace(*plateau, PLATEAUS)[:, None], np.geomspace(*power, POWERS)[None, :]
        above = plateaus - self._scores  # (P, S)
        fall = self._shares ** -powers.reshape(-1, 1)  # (C, S)
        a = np.einsum("cs,st,ct->c", fall, self._weights, fall)[None, :]
        b = above @ self._weights @ fall.T
        c = np.einsum("ps,st,pt->p", above, self._weights, above)[:, None]
        to_come = np.clip(b / a, 0.0, 1.0)
        distance = a * to_come**2 - 2 * b * to_come + c
        at = np.unravel_index(distance.argmin(), distance.shape)
        nearest = distance[at]
        plateaus, powers = np.broadcast_arrays(plateaus, powers)
        root = b**2 - a * (c - nearest - threshold)
        ends = np.sqrt(np.maximum(root, 0.0))
        low, high = np.maximum((b - ends) / a, 0.0), np.minimum((b + ends) / a, 1.0)
        inside = (root >= 0) & (high >= low)
        region = Law(*(np.tile(one[inside], 2) for one in (plateaus, to_come, powers)))
        region = region._replace(to_come=np.concatenate([low[inside], high[inside]]))
        return Law(plateaus[at], to_come[at], powers[at]), region
