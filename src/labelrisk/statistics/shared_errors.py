"""Errors that two annotators share, against what their error rates in each gold class alone would bring together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.intervals import Component, Interval, t_interval
from labelrisk.statistics.scores import Codes, Floats

FEWEST = 5  # rows that are shared, or expected to be: of fewer, bounds would be too close
CORRECTION = 0.5  # a count of rows moves in steps of one: half a step, as Mantel and Haenszel do
RARE = 1e-6  # chance of each of so many rows that their number is as good as Poisson's


class Shared(NamedTuple):
    """Errors in common, as shares of the rows that both labelled.

    expected: if the two erred independently within each gold class.  excess: share - expected; ratio: share / expected,
    its error that of the logarithm.  Bounds are nan where fewer than five rows are expected, those of the ratio also
    where fewer are shared; the ratio itself where none is expected.  p: two-sided, of independence within the classes.
    """

    share: float
    expected: float
    excess: Interval
    ratio: Interval
    p: float


class Cells(NamedTuple):
    """Rows that both labelled, those alike together, (M,) each: gold, the two labels, and how many rows there are.

    one_wrong, other_wrong (K, K): by gold class, the share of its rows that was given each of the wrong classes.
    """

    gold: Codes
    one: Codes
    other: Codes
    weights: Floats
    rows_of_class: Floats
    one_wrong: Floats
    other_wrong: Floats


def cells(gold: Codes, one: Codes, other: Codes, classes: int) -> Cells:
    """Count rows: gold (N,), labels (N,) each, -1 for none; a row without one of the labels is left out."""
    both = (one != NO_LABEL) & (other != NO_LABEL)
    codes = (gold[both] * classes + one[both]) * classes + other[both]
    found, numbers = np.unique(codes, return_counts=True)
    rest, y = np.divmod(found, classes)
    k, x = np.divmod(rest, classes)
    weights = numbers.astype(np.float64)
    rows = np.bincount(k, weights, minlength=classes).astype(np.float64)
    return Cells(k, x, y, weights, rows, _wrong(k, x, weights, rows), _wrong(k, y, weights, rows))


def errors_in_common(of: Cells, confidence: float) -> Shared:
    """Rows where both are wrong, in whatever way.

    In gold class k with n_k rows and shares wrong a_k and b_k, expected are sum_k n_k a_k b_k / n, with the variance
    sum_k n_k^2 a_k (1 - a_k) b_k (1 - b_k) / (n_k - 1) of their number.  Mantel & Haenszel, "Statistical Aspects of the
    Analysis of Data from Retrospective Studies of Disease" (1959).
    """
    a, b = of.one_wrong.sum(axis=1), of.other_wrong.sum(axis=1)
    one, other = of.one != of.gold, of.other != of.gold
    by_chance = a[of.gold] * other + b[of.gold] * one - (a * b)[of.gold]
    return _shared(of, (one & other).astype(np.float64), by_chance, a * (1 - a) * b * (1 - b), confidence)


def same_errors(of: Cells, confidence: float) -> Shared:
    """Rows where both give one and the same wrong label.

    Expected are sum_k n_k sum_j p_kj q_kj / n over the wrong classes j.  The variance of their number when rows of a
    class are paired anew at random is n_k^2 / (n_k - 1) (s - sum_j p_j^2 q_j - sum_j p_j q_j^2 + s^2), s = sum_j p_j
    q_j: the trace of the product of both covariances, which for one wrong class is that of errors_in_common.
    """
    p, q = of.one_wrong, of.other_wrong
    s = (p * q).sum(axis=1)
    by_chance = q[of.gold, of.one] + p[of.gold, of.other] - s[of.gold]
    same = (of.one == of.other) & (of.one != of.gold)
    spread = s - (p**2 * q).sum(axis=1) - (p * q**2).sum(axis=1) + s**2
    return _shared(of, same.astype(np.float64), by_chance, spread, confidence)


def _wrong(gold: Codes, codes: Codes, weights: Floats, rows: Floats) -> Floats:
    """Shares (K, K) of each gold class's rows; 0 for the right class."""
    counts = np.zeros((len(rows), len(rows)))
    np.add.at(counts, (gold, codes), weights)
    np.fill_diagonal(counts, 0.0)
    shares: Floats = counts / np.maximum(rows, 1)[:, None]
    return shares


def _shared(of: Cells, together: Floats, by_chance: Floats, spread: Floats, confidence: float) -> Shared:
    """together, by_chance (M,): what a row adds to the share and, linearised, to what is expected; at least two rows.

    spread (K,): the variance of the number together under independence, over n_k^2 / (n_k - 1).
    """
    rows, n = float(of.weights.sum()), of.rows_of_class
    share, expected = float(of.weights @ together / rows), float(of.weights @ by_chance / rows)
    excess = _interval(of, share - expected, together - by_chance, confidence)
    if rows * expected < FEWEST:
        excess = _unbounded(excess.estimate)
    variance = float((n**2 * spread / np.maximum(n - 1, 1)).sum())
    p = _two_sided(round(rows * share), rows * expected, variance) if variance > 0 else 1.0
    return Shared(share, expected, excess, _ratio(of, share, expected, together, by_chance, confidence), p)


def _two_sided(number: int, expected: float, variance: float) -> float:
    """The p-value of so many rows where `expected` are, with this variance: twice the smaller tail of a binomial number
    of that mean, and that variance or a little more; or the normal one with half a step of correction, the larger of
    the two.

    Given how often each errs, the number where both do is a sum of hypergeometric ones, and so of independent events
    of different chances: Ehm, "Binomial Approximation to the Poisson Binomial Distribution" (1991).  The normal tail is
    too short for the small p that Holm asks of many pairs where errors are rare, also where 20 rows are expected; the
    binomial one where they are as frequent as right labels.  Poisson's is too long where they aren't rare.
    """
    from scipy.special import bdtr, bdtrc, ndtr, pdtr, pdtrc

    normal = float(ndtr(-max(abs(number - expected) - CORRECTION, 0.0) / np.sqrt(variance)))
    chance = 1 - variance / expected if expected else 0.0
    if chance < RARE:
        at_least, at_most = (float(pdtrc(number - 1, expected)) if number else 1.0), float(pdtr(number, expected))
    else:
        rows = max(int(np.ceil(expected / chance)), number)
        at_least = float(bdtrc(number - 1, rows, expected / rows))
        at_most = float(bdtr(number, rows, expected / rows))
    return min(1.0, 2 * max(min(at_least, at_most), normal))


def _ratio(
    of: Cells, share: float, expected: float, together: Floats, by_chance: Floats, confidence: float
) -> Interval:
    """Symmetric in the logarithm, which a ratio can't leave."""
    if of.weights.sum() * min(share, expected) < FEWEST:
        return _unbounded(share / expected if expected else float("nan"))
    of_log = _interval(of, float(np.log(share / expected)), together / share - by_chance / expected, confidence)
    return Interval(share / expected, float(np.exp(of_log.low)), float(np.exp(of_log.high)), *of_log[3:])


def _unbounded(estimate: float) -> Interval:
    return Interval(estimate, *[float("nan")] * 4)


def _interval(of: Cells, estimate: float, values: Floats, confidence: float) -> Interval:
    """An estimate that rows of a cell move by `values` (M,), centred here: the delta method over rows."""
    rows = float(of.weights.sum())
    centred = values - of.weights @ values / rows
    variance = float(of.weights @ centred**2) / (rows * (rows - 1))
    return t_interval(estimate, [Component.chi_square(variance, rows - 1)], confidence)
