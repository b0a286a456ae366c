"""What the mean score of a source's runs varies by: other test rows, chance per row and run, and other seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.equal_variances import bartlett_p
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Component, Interval, excess
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.scores import Codes, Counts, Floats
from labelrisk.statistics.variance_shares import Shares

# p of Bartlett's test below which sources are taken to differ.  It is high: to pool unlike sources makes intervals of
# the unsteady ones too narrow, while not to pool like ones only makes intervals wider.
DIFFERENT = 0.25
ROUNDING = 1e-12  # scores that differ by less are the same, summed in another order


class RunVariances:
    """Variance components of one metric over all sources, from the influence value x_ri of each row i in each run r.

    A score varies with the rows, with the run, and with chance per row and run.  The products x_ri x_si of different
    runs hold what rows have in common; a run's product with itself holds its chance, too, which would be counted again
    in the variance of the runs' scores.  So, for the mean over R runs of a source:

      rows    mean over pairs of different runs of cov(x_r, x_s) / N, for a difference of sources of all their pairs
      chance  (mean over runs of var(x_r) / N, minus the former) / R: known well, N rows tell it
      seeds   what the variance of the R scores exceeds the chance of one run by, over R: R - 1 degrees of freedom

    The variance of scores is pooled over the sources, and their degrees of freedom added, unless Bartlett's test finds
    that they differ.  A source with a single run has neither chance nor seeds: its interval is about other rows alone.
    """

    def __init__(self, gold: Codes, runs: Mapping[str, Codes], counts: Mapping[str, Counts], metric: Metric) -> None:
        """gold (N,); by source: runs (R, N), counts (R, K, K + 1)."""
        scores = {name: np.atleast_1d(metric(table)) for name, table in counts.items()}
        self._take(scores, {name: row_influences(gold, runs[name], counts[name], metric) for name in runs})

    @classmethod
    def of_influences(cls, scores: Mapping[str, Floats], influences: Mapping[str, NDArray[Any]]) -> RunVariances:
        """Of a number that is no metric of confusion counts; by source: scores (R,), influences (R, N), centred."""
        made = cls.__new__(cls)
        made._take(scores, influences)
        return made

    def _take(self, scores: Mapping[str, Floats], influences: Mapping[str, NDArray[Any]]) -> None:
        self.scores = dict(scores)
        stacked = np.concatenate(list(influences.values()), dtype=np.float64)
        self._rows = stacked.shape[1]
        self._covariances: Floats = stacked @ stacked.T / (self._rows * (self._rows - 1))
        runs = [len(one) for one in influences.values()]
        ends = np.cumsum(runs)
        self._places = {name: slice(end - of, end) for name, of, end in zip(influences, runs, ends, strict=True)}
        self._seeds = self._seed_components()

    def mean(self, source: str, confidence: float) -> Interval:
        """The mean score of a source's runs."""
        return self.contrast({source: 1.0}, confidence)

    def difference(self, source: str, reference: str, confidence: float) -> Interval:
        """The mean score of a source minus that of another, on the same rows; 0 for sure for one and the same."""
        return self.contrast(_minus(source, reference), confidence)

    def components(self, source: str, reference: str) -> Shares:
        """What the variance of that difference consists of."""
        return self._shares(_minus(source, reference))

    def contrast(self, weights: Mapping[str, float], confidence: float) -> Interval:
        """The weighted sum of sources' mean scores, on the same rows; weights by source."""
        estimate = sum(weight * float(self.scores[name].mean()) for name, weight in weights.items())
        return self._shares(weights).interval(estimate, confidence)

    def _shares(self, weights: Mapping[str, float]) -> Shares:
        rows = sum(one * other * self._shared(a, b) for a, one in weights.items() for b, other in weights.items())
        shares = {name: weight**2 / len(self.scores[name]) for name, weight in weights.items()}
        errors = [share * np.sqrt(self._seeds[name].uncertainty) for name, share in shares.items()]
        # estimates from one pool err together
        uncertainty = sum(errors) ** 2 if self._pooled else sum(error**2 for error in errors)
        return Shares(
            rows=max(rows, 0.0),
            chance=sum(share * self._chance(name) for name, share in shares.items()),
            seeds=sum(share * self._seeds[name].variance for name, share in shares.items()),
            uncertainty=float(uncertainty),
            row_count=self._rows,
            run_count=min((len(self.scores[name]) for name in weights if len(self.scores[name]) > 1), default=1),
        )

    def _shared(self, one: str, other: str) -> float:
        """Mean covariance of different runs of two sources, or of one."""
        block = self._covariances[self._places[one], self._places[other]]
        if one != other or len(block) == 1:
            return float(block.mean())
        return float((block.sum() - np.trace(block)) / (len(block) * (len(block) - 1)))

    def _chance(self, source: str) -> float:
        """Variance of one run's score by chance per row and run."""
        block = self._covariances[self._places[source], self._places[source]]
        return float(np.trace(block)) / len(block) - self._shared(source, source)

    def _seed_components(self) -> dict[str, Component]:
        several = {name: scores for name, scores in self.scores.items() if len(scores) > 1}
        squares = {name: float(scores.var(ddof=1)) for name, scores in several.items()}
        degrees = {name: float(len(scores) - 1) for name, scores in several.items()}
        self._pooled = len(several) > 1 and alike(list(several.values()))
        if self._pooled:
            squares, degrees = pooled(squares, degrees)
        none = Component(0.0, 0.0)
        return {
            name: excess(squares[name], self._chance(name), degrees[name]) if name in several else none
            for name in self.scores
        }


def _minus(source: str, reference: str) -> dict[str, float]:
    """The weights of a difference."""
    return {source: 0.0} if source == reference else {source: 1.0, reference: -1.0}


def pooled(squares: Mapping[str, float], degrees: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean squares of like sources as one, with the degrees of freedom of all, for each of them."""
    total = sum(degrees.values())
    together = sum(degrees[name] * squares[name] for name in squares) / total
    return dict.fromkeys(squares, together), dict.fromkeys(squares, total)


def alike(scores: list[Floats]) -> bool:
    """Whether nothing says that the sources' scores differ in variance; constant scores differ from others."""
    constant = [np.ptp(one) < ROUNDING for one in scores]
    return all(constant) or (not any(constant) and bartlett_p(scores) >= DIFFERENT)
