"""What a number of several seeds together varies by: halves of the seeds tell the share of each in the number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.ensemble_redraws import Subset, subsets
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import Codes, Counts, Floats, confusion


class PseudoRuns(NamedTuple):
    """The share of each seed in a number, whose mean is the number: scores (R,), influences of rows (R, N), centred."""

    scores: Floats
    influences: Floats

    def plus(self, other: PseudoRuns, weight: float) -> PseudoRuns:
        """This number plus a multiple of another one of the same seeds."""
        return PseudoRuns(self.scores + weight * other.scores, self.influences + weight * other.influences)


def pseudo_runs(gold: Codes, codes: NDArray[Any], parts: Sequence[Subset], classes: int, metric: Metric) -> PseudoRuns:
    """The shares of seeds in the score of what they say together: gold (N,), codes (1 + P, N).

    codes: of all seeds, then of each part of them; parts: the seeds of each part, all of one size m, about half; none
    where there is a single seed.  With m_S = a + (sum of b_r over r in S), fitted by least squares, and the mean of all
    b_r 0, the share of seed r is the number of all seeds plus m b_r; influences of rows likewise.  Of a mean over seeds
    these are the seeds' own numbers, so that RunVariances takes them for runs: what rows have in common, the chance of
    rows and seeds, and the seeds are told apart as for single runs.

    Halves, since to leave out one seed says far too much of a vote, which is no smooth function of its seeds.
    Hajek, "Asymptotic Normality of Simple Linear Rank Statistics under Alternatives" (1968), for the projection; Shao &
    Wu, "A General Theory for Jackknife Variance Estimation" (1989), for the halves.
    """
    counts = np.stack([confusion(gold, one, classes) for one in codes])
    scores, influences = np.atleast_1d(metric(counts)), row_influences(gold, codes, counts, metric)
    if not parts:
        return PseudoRuns(scores, influences)
    effects = _effects(parts)
    return PseudoRuns(scores[0] + effects @ scores[1:], influences[0] + effects @ influences[1:])


def halves(seeds: int, generator: np.random.Generator) -> list[Subset]:
    """Parts of half of the seeds, all or twice as many as there are seeds, different ones; of a single seed none."""
    return subsets(seeds, (seeds + 1) // 2, 2 * seeds, generator) if seeds > 1 else []


def _effects(parts: Sequence[Subset]) -> Floats:
    """What takes the numbers of parts, (P, ...), to m b_r, (R, ...)."""
    seeds = 1 + max(max(part) for part in parts)
    within = np.zeros((len(parts), seeds))
    for place, part in enumerate(parts):
        within[place, list(part)] = 1.0
    centred = np.linalg.pinv(within - within.mean(axis=0))
    size = len(parts[0])
    effects: Floats = size * (centred - centred.mean(axis=1, keepdims=True))
    return np.asarray(effects - effects.mean(axis=0))


def mean_runs(gold: Codes, runs: Sequence[Codes], counts: Sequence[Counts], metric: Metric) -> PseudoRuns:
    """The shares of seeds in the mean score of single students: by source runs (R, N), counts (R, K, K + 1)."""
    scores = np.mean([metric(table) for table in counts], axis=0)
    influences = sum(row_influences(gold, one, table, metric) for one, table in zip(runs, counts, strict=True))
    return PseudoRuns(np.atleast_1d(scores), np.asarray(influences / len(runs), dtype=np.float64))


class JointVariances:
    """Contrasts of numbers some of which are of the same seeds, and vary together.

    runs: by the number's name; sources: whose seeds they are of, by the same.  Seeds of two sources are independent.
    """

    def __init__(self, runs: Mapping[str, PseudoRuns], sources: Mapping[str, str]) -> None:
        self._runs, self._sources = runs, sources

    def contrast(self, weights: Mapping[str, float], confidence: float) -> Interval:
        """The weighted sum of the numbers; weights by name."""
        sums: dict[str, PseudoRuns] = {}
        for name, weight in weights.items():
            source, runs = self._sources[name], self._runs[name]
            start = sums.get(source, PseudoRuns(np.zeros_like(runs.scores), np.zeros_like(runs.influences)))
            sums[source] = start.plus(runs, weight)
        return variances_of(sums).contrast(dict.fromkeys(sums, 1.0), confidence)

    def difference(self, source: str, reference: str, confidence: float) -> Interval:
        """One number minus another."""
        return self.contrast({source: 1.0, reference: -1.0}, confidence)


def variances_of(runs: Mapping[str, PseudoRuns]) -> RunVariances:
    """The variances of numbers of which each has seeds of its own; by name."""
    return RunVariances.of_influences(
        {name: of.scores for name, of in runs.items()}, {name: of.influences for name, of in runs.items()}
    )
