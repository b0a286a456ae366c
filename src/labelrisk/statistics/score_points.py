"""Mean scores of students of several sources and numbers of rows, and how they err together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Component, Interval, t_interval
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.scores import Codes, Counts, Floats

FALLS = np.linspace(-1.0, 0.0, 21)  # powers of the number of rows that the variance of seeds may fall with


class Runs(NamedTuple):
    """Students of one source and number of train rows: predictions (R, N) of the test rows, counts (R, K, K + 1)."""

    source: str
    rows: int
    predictions: Codes
    counts: Counts


@dataclass(frozen=True, eq=False, kw_only=True)
class ScorePoints:
    """S points: sources, rows (S,), mean scores (S,); by what they vary.

    by_rows (S, S): covariance by other test rows, of different runs, so that it is without chance per row and run.
    by_runs (S,): variance of the means by other runs: their seeds, chance per row and run, and other train rows.
    degrees: of freedom of the latter, by source.
    """

    sources: tuple[str, ...]
    rows: Floats
    scores: Floats
    by_rows: Floats
    by_runs: Floats
    degrees: Mapping[str, float]
    test_rows: int

    def of(self, source: str) -> list[int]:
        """The places of a source's points, by their rows."""
        return sorted((at for at, name in enumerate(self.sources) if name == source), key=lambda at: self.rows[at])

    def covariance(self, places: list[int]) -> Floats:
        """Of some of the points: (P, P), made positive definite where estimates of covariances are not."""
        found = self.by_rows[np.ix_(places, places)] + np.diag(self.by_runs[places])
        values, vectors = np.linalg.eigh((found + found.T) / 2)
        lifted: Floats = (vectors * np.maximum(values, 1e-4 * values.max())) @ vectors.T
        return lifted

    def contrast(self, weights: Floats, confidence: float) -> Interval:
        """The weighted sum of the scores, weights (S,), with the interval over test rows and runs."""
        parts = [Component.chi_square(max(float(weights @ self.by_rows @ weights), 0.0), self.test_rows - 1)]
        for source, degrees in self.degrees.items():
            own = np.array([name == source for name in self.sources])
            if degrees > 0 and own.any():
                parts.append(Component.chi_square(float((weights[own] ** 2 * self.by_runs[own]).sum()), degrees))
        return t_interval(float(weights @ self.scores), parts, confidence)


def score_points(gold: Codes, runs: list[Runs], metric: Metric) -> ScorePoints:
    """gold (N,).  The variance of a source's runs is pooled over its sizes: proportional to rows^f, with the f from -1
    (the luck of the rows that are learned from) to 0 (the luck of seeds) that is most likely for all sources together.

    Two to five runs of one size alone tell nothing about a variance.  A source with single runs has none: its intervals
    are about other test rows alone.
    """
    scores = [np.atleast_1d(metric(of.counts)) for of in runs]
    values = [row_influences(gold, of.predictions, of.counts, metric) for of in runs]
    stacked, counts = np.concatenate(values), np.array([len(one) for one in scores])
    products = stacked @ stacked.T / (len(gold) * (len(gold) - 1))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(np.add.reduceat(products, starts, axis=0), starts, axis=1)
    pairs = np.outer(counts, counts).astype(float)
    several = np.flatnonzero(counts > 1)
    own = np.add.reduceat(np.diag(products), starts)
    sums[several, several] -= own[several]
    pairs[several, several] -= counts[several]
    rows = np.array([of.rows for of in runs], dtype=float)
    sources = tuple(of.source for of in runs)
    squares = np.array([one.var(ddof=1) if len(one) > 1 else np.nan for one in scores])
    variances, degrees = pooled_over_rows(sources, rows, squares, counts - 1.0)
    return ScorePoints(
        sources=sources,
        rows=rows,
        scores=np.array([one.mean() for one in scores]),
        by_rows=sums / pairs,
        by_runs=variances / counts,
        degrees=degrees,
        test_rows=len(gold),
    )


def pooled_over_rows(
    sources: tuple[str, ...], rows: Floats, squares: Floats, degrees: Floats
) -> tuple[Floats, dict[str, float]]:
    """Variances (S,) proportional to rows^f within a source, of mean squares (S,) with degrees (S,); degrees by source.

    f is chosen by the likelihood of scaled chi-squares; given f a source's level is its weighted mean.
    """
    names = {name: np.array([name == other for other in sources]) & (degrees > 0) for name in dict.fromkeys(sources)}
    totals = {name: float(degrees[of].sum()) for name, of in names.items()}
    best, found = np.inf, np.zeros(len(rows))
    for fall in FALLS:
        trend, fitted, cost = rows**fall, np.zeros(len(rows)), 0.0
        for name, of in names.items():
            level = float((degrees[of] * squares[of] / trend[of]).sum()) / totals[name] if totals[name] else 0.0
            fitted[np.array([name == other for other in sources])] = level
            cost += totals[name] * np.log(level) + float((degrees[of] * np.log(trend[of])).sum()) if level > 0 else 0.0
        if cost < best - 1e-12 or best == np.inf:
            best, found = cost, fitted * trend
    return found, totals
