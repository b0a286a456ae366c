"""Ensembles drawn anew from the seeds of one source: how good one of some size is, and how far two of them agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.agreement_variances import disagreements, spread_of_pairs
from labelrisk.statistics.ensembles import weighted_votes
from labelrisk.statistics.intervals import Component, Interval, t_interval
from labelrisk.statistics.scores import Codes, Floats

Subset = tuple[int, ...]
Pair = tuple[Subset, Subset]


def subsets(runs: int, size: int, most: int, generator: np.random.Generator) -> list[Subset]:
    """All choices of `size` of the runs, or `most` different ones drawn at random."""
    if comb(runs, size) <= most:
        return list(combinations(range(runs), size))
    drawn: dict[Subset, None] = {}
    while len(drawn) < most:
        drawn[tuple(sorted(generator.choice(runs, size, replace=False).tolist()))] = None
    return list(drawn)


def disjoint_pairs(runs: int, size: int, most: int, generator: np.random.Generator) -> list[Pair]:
    """All pairs of choices of `size` runs that share none, or `most` different ones drawn at random; 2 size <= runs."""
    if comb(runs, size) * comb(runs - size, size) // 2 <= most:
        return [
            (one, other)
            for one in combinations(range(runs), size)
            for other in combinations([run for run in range(one[0] + 1, runs) if run not in one], size)
        ]
    drawn: dict[Pair, None] = {}
    while len(drawn) < most:
        order = generator.permutation(runs)
        one, other = sorted(tuple(sorted(order[at : at + size].tolist())) for at in (0, size))
        drawn[one, other] = None
    return list(drawn)


def subset_votes(probabilities: NDArray[np.floating[Any]], chosen: Sequence[Subset]) -> NDArray[np.int64]:
    """The soft vote of each choice of runs: (R, N, K) -> (len(chosen), N); the first in class order wins a tie."""
    weights = np.zeros((len(chosen), len(probabilities)))
    for place, one in enumerate(chosen):
        weights[place, list(one)] = 1 / len(one)
    return weighted_votes(probabilities, weights)


class PairAgreement(NamedTuple):
    """Krippendorff's alpha and p_uc of two ensembles, the mean over pairs, with influences of rows, (N,), centred."""

    alpha: float
    alpha_influences: Floats
    p_uc: float
    p_uc_influences: Floats


def agreement_of_pairs(votes: Codes, places: NDArray[np.int64], classes: int) -> PairAgreement:
    """Votes (E, N) of ensembles, places (P, 2) of the two of each pair among them.

    alpha = 1 - D_o / D_e: D_o is the share of rows on which a pair disagrees, the mean over pairs; D_e what chance
    gives, from the shares of classes over all.  With single runs and all pairs this is Krippendorff's alpha of the
    runs.  Influences are delete-one values.  nan where all say one class.
    """
    rows = votes.shape[1]
    differ = np.mean([votes[one] != votes[other] for one, other in places], axis=0)
    uses = np.bincount(places.ravel(), minlength=len(votes)) / places.size
    shares = np.stack([uses @ (votes == code) for code in range(classes)], axis=1)  # (N, K)
    labels = len(votes)
    whole = _alpha(differ.sum(), shares.sum(axis=0), rows, labels)
    without = _alpha(differ.sum() - differ, shares.sum(axis=0) - shares, rows - 1, labels)
    values = np.where(np.isnan(without), 0.0, (rows - 1) * (whole - without))
    p_uc = 1 - float(differ.mean())
    return PairAgreement(float(whole), values - values.mean(), p_uc, (1 - differ) - p_uc)


def _alpha(differ: Any, shares: Floats, rows: int, labels: int) -> Floats:
    """differ (...), shares (..., K): sums over rows."""
    total = rows * labels
    expected = (total**2 - ((labels * shares) ** 2).sum(axis=-1)) / (total * max(total - 1, 1))
    expected = np.asarray(expected)
    ratio = np.full(expected.shape, np.nan)
    np.divide(np.asarray(differ) / max(rows, 1), expected, out=ratio, where=expected > 1e-12)
    return np.asarray(1 - ratio)


def seeds_part(runs: Codes, classes: int) -> Component:
    """The relative variance of a disagreement, 1 - alpha or 1 - p_uc, by which seeds were drawn: runs (R, N), R >= 3.

    That of single runs (AgreementVariances); ensembles' disagreement is taken to vary as much, relative to itself.
    """
    found, share = spread_of_pairs(disagreements(runs, classes)).beyond_chance(), 4 / len(runs)
    return Component(share * found.variance, share**2 * found.uncertainty)


def agreement_interval(value: float, influences: Floats, seeds: Component, confidence: float) -> Interval:
    """An agreement with its interval over rows and seeds, symmetric in the logarithm of 1 - value."""
    rows, distance = len(influences), 1 - value
    variance = float((influences**2).sum()) / (rows * (rows - 1))
    by_seeds = Component(distance**2 * seeds.variance, distance**4 * seeds.uncertainty)
    found = t_interval(value, [Component.chi_square(variance, rows - 1), by_seeds], confidence)
    if not distance > 0:
        return found
    factor = float(np.exp((found.high - value) / distance))
    return found._replace(low=1 - distance * factor, high=1 - distance / factor)


def extrapolated(of_one: float, of_two: float, size: int) -> float:
    """Alpha of two ensembles of `size` members from that of single runs and of ensembles of two.

    1 - alpha is taken to fall as a power of the number of members.  nan where one of the two is perfect agreement.
    """
    one, two = 1 - of_one, 1 - of_two
    if not (one > 0 and two > 0):
        return float("nan")
    return float(1 - two * (two / one) ** np.log2(size / 2))
