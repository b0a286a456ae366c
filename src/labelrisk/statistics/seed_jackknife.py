"""Intervals over rows and seeds of numbers that need all seeds at once, such as of the entropy of their votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labelrisk.statistics.intervals import Component, Interval, excess, t_interval
from labelrisk.statistics.ranks import Relation
from labelrisk.statistics.run_variances import alike, pooled

FEWEST = 3  # seeds: what is left of two has no votes to differ


class SeedJackknife:
    """Variance components of a number of each source, from its influences and from the number without each seed.

      rows   the jackknife over rows; it holds the chance per row and run, too
      seeds  (R - 1) / R sum_r (m_r - mean m)^2, m_r without seed r, beyond what chance per row and run makes of it:
             (R - 1) / R sum_i sum_r (x_ri - mean_r x_ri)^2 / (N (N - 1)), x_ri the influences on m_r

    The seeds' mean square is pooled over the sources unless Bartlett's test finds that they differ.  With fewer than
    three seeds the interval is about other rows alone.  Efron & Stein, "The Jackknife Estimate of Variance" (1981).
    """

    def __init__(self, whole: Mapping[str, Relation], without: Mapping[str, Sequence[Relation]]) -> None:
        """By source: the number of all seeds; without each of its seeds in turn (none where there are too few)."""
        self._whole = whole
        values = {name: np.array([one.estimate for one in of]) for name, of in without.items() if len(of) >= FEWEST}
        values = {name: of for name, of in values.items() if np.isfinite(of).all()}
        squares = {name: float(of.var()) * (len(of) - 1) for name, of in values.items()}
        degrees = {name: float(len(of) - 1) for name, of in values.items()}
        self._pooled = len(values) > 1 and alike(list(values.values()))
        if self._pooled:
            squares, degrees = pooled(squares, degrees)
        none = Component(0.0, 0.0)
        self._seeds = {
            name: excess(squares[name], _chance(without[name]), degrees[name]) if name in values else none
            for name in whole
        }

    def of(self, source: str, confidence: float) -> Interval:
        """The number of a source."""
        return self._interval({source: 1.0}, confidence)

    def difference(self, source: str, reference: str, confidence: float) -> Interval:
        """The number of a source minus that of another, on the same rows; 0 for sure for one and the same."""
        return self._interval({source: 0.0} if source == reference else {source: 1.0, reference: -1.0}, confidence)

    def _interval(self, weights: Mapping[str, float], confidence: float) -> Interval:
        estimate = sum(weight * self._whole[name].estimate for name, weight in weights.items())
        if np.isnan(estimate):
            return Interval(*[float("nan")] * 5)
        influences = sum((weight * self._whole[name].influences for name, weight in weights.items()), np.zeros(1))
        rows = len(influences)
        errors = [weight**2 * np.sqrt(self._seeds[name].uncertainty) for name, weight in weights.items()]
        seeds = Component(
            sum(weight**2 * self._seeds[name].variance for name, weight in weights.items()),
            float(sum(errors) ** 2 if self._pooled else sum(error**2 for error in errors)),  # one pool errs together
        )
        variance = float((influences**2).sum()) / (rows * (rows - 1))
        return t_interval(estimate, [Component.chi_square(variance, rows - 1), seeds], confidence)


def _chance(without: Sequence[Relation]) -> float:
    """The jackknife over seeds that chance per row and run makes on average."""
    runs, rows = len(without), len(without[0].influences)
    mean = np.mean([one.influences for one in without], axis=0)
    squares = sum(float(((one.influences - mean) ** 2).sum()) for one in without)
    return squares * (runs - 1) / runs / (rows * (rows - 1))
