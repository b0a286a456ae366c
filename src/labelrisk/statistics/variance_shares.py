"""What the variance of a difference consists of, so that it can be foreseen for more rows or more seeds."""

from __future__ import annotations

from typing import NamedTuple

from labelrisk.statistics.intervals import Component, Interval, t_interval


class Shares(NamedTuple):
    """The variances that add up to that of an estimate, and the numbers of test rows and of runs that they fall with.

    rows, chance, seeds: as RunVariances defines them.  uncertainty: the variance of `seeds` itself.  run_count: runs of
    each source that has several, 1 where none has; a single run has no share that falls with the seeds.
    """

    rows: float
    chance: float
    seeds: float
    uncertainty: float
    row_count: int
    run_count: int

    def interval(self, estimate: float, confidence: float) -> Interval:
        """The interval of an estimate with this variance."""
        components = [
            Component.chi_square(self.rows, self.row_count - 1),
            Component(self.chance, 0.0),
            Component(self.seeds, self.uncertainty),
        ]
        return t_interval(estimate, components, confidence)

    def planned(self, row_count: int, run_count: int) -> Shares:
        """The shares that a study of so many rows and runs would have, if this one estimates them well.

        rows N / N' + chance (N / N') (R / R') + seeds R / R'; the degrees of freedom of the seeds grow as R' - 1.  The
        runs stay as they are where no source has several.
        """
        if self.run_count == 1:
            run_count = 1
        rows, runs = self.row_count / row_count, self.run_count / run_count
        degrees = (self.run_count - 1) / (run_count - 1) if run_count > 1 else 1.0
        return Shares(
            rows=self.rows * rows,
            chance=self.chance * rows * runs,
            seeds=self.seeds * runs,
            uncertainty=self.uncertainty * runs**2 * degrees,
            row_count=row_count,
            run_count=run_count,
        )
