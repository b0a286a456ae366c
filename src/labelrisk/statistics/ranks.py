"""Relations of two numbers of the same rows by their ranks, with what each row contributes: Spearman's rho and AUC."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats


class Ranked(NamedTuple):
    """Values by their places among the distinct ones, lowest first: places (N,), counts of rows by place."""

    places: NDArray[np.int32]
    counts: NDArray[np.int64]

    @property
    def middle(self) -> Floats:
        """(rank - 1/2) / N - 1/2, ties with mean ranks: the share of rows below, and half of the ties, centred."""
        below = np.cumsum(self.counts) - self.counts / 2
        found: Floats = (below / len(self.places) - 0.5)[self.places]
        return found

    def above(self, weights: Floats) -> Floats:
        """The sum of the weights of the rows with a higher value, and half of that of those with the same: (N,)."""
        sums = np.bincount(self.places, weights, len(self.counts))
        found: Floats = (sums.sum() - np.cumsum(sums) + sums / 2)[self.places]
        return found


class Relation(NamedTuple):
    """An estimate and the influences of the rows on it, (N,), centred; nan where there is none."""

    estimate: float
    influences: Floats


def ranked(values: NDArray[Any]) -> Ranked:
    """The places of values (N,)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return Ranked(places.astype(np.int32), counts.astype(np.int64))


def spearman(one: Ranked, other: Ranked) -> Relation:
    """Spearman's rank correlation of the same rows, ties with mean ranks; nan where one of them is constant.

    With u and v the centred middle ranks: A / sqrt(B C), A = mean u v, B = mean u^2, C = mean v^2.  A row moves A by
    u v, and by what it moves the ranks of the others: the share of rows above it (a tie counts half), each with its own
    v; so for B and C.  Influences are those of the infinitesimal jackknife.  Jaeckel (1972); Borkowf, "Computing the
    Nonnull Asymptotic Variance and the Asymptotic Relative Efficiency of Spearman's Rank Correlation" (2002).
    """
    rows = len(one.places)
    if len(one.counts) < 2 or len(other.counts) < 2:
        return Relation(float("nan"), np.full(rows, np.nan))
    u, v = one.middle, other.middle
    a, b, c = float((u * v).mean()), float((u**2).mean()), float((v**2).mean())
    on_a = u * v + (one.above(v) + other.above(u)) / rows
    on_b = u**2 + 2 * one.above(u) / rows
    on_c = v**2 + 2 * other.above(v) / rows
    scale = np.sqrt(b * c)
    rho = a / scale
    influences = on_a / scale - rho / 2 * (on_b / b + on_c / c)
    return Relation(float(rho), influences - influences.mean())


def auc(scores: Ranked, events: NDArray[np.bool_]) -> Relation:
    """How often a row with the event scores higher than one without, ties half: events (N,); nan without both kinds.

    Influences are the placements of DeLong, DeLong & Clarke-Pearson (1988), "Comparing the Areas under Two or More
    Correlated Receiver Operating Characteristic Curves".
    """
    with_it, rows = int(events.sum()), len(events)
    without = rows - with_it
    if not with_it or not without:
        return Relation(float("nan"), np.full(rows, np.nan))
    below = without - scores.above((~events).astype(np.float64))  # rows without it that score lower, ties half
    above = scores.above(events.astype(np.float64))
    area = float(below[events].mean()) / without
    influences = np.where(events, rows / with_it * (below / without - area), rows / without * (above / with_it - area))
    return Relation(area, influences - influences.mean())
