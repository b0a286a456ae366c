"""Class shares of new rows, corrected by how a classifier answers on rows with gold, under label shift.

Label shift: the classes have other shares, but the texts of a class are the same as where gold is known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelrisk.statistics.intervals import Component, t_interval
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.shares import Share

LEAST_ROWS = 5  # of each class with gold, without which its answers are not known well enough
WORST = 1e6  # condition number of the answers by class, beyond which classes are not told apart


class Answers(NamedTuple):
    """What a classifier says of new rows: how many, the mean of its probabilities (K,), and their covariance (K, K)."""

    rows: int
    mean: Floats
    covariance: Floats


def corrected_shares(answers: Answers, known: Floats, gold: Codes, confidence: float) -> list[Share] | None:
    """The share of each class among new rows, between its bounds; None where the rows with gold can't tell.

    known (n, K): the classifier's probabilities of rows with gold (n,).  With q the mean answer on new rows and M_ij
    that for class j on rows of gold class i, label shift says q = p M, and p = q M^-1.  Bella, Ferri, Hernandez-Orallo
    & Ramirez-Quintana, "Quantification via Probability Estimators" (2010), for any K as in Lipton, Wang & Smola,
    "Detecting and Correcting for Label Shift with Black Box Predictors" (2018, arXiv 1802.03916); with answers of 0 and
    1 it is Forman's adjusted classify and count (2008).  It does not need calibrated probabilities.
    Variance: that of q over the new rows, and of each row of M over the n_i rows with gold,
    sum_i p_i^2 M^-T Cov_i M^-1 / n_i, with Satterthwaite's degrees of freedom.  The estimate is the nearest point of
    which all shares are from 0 to 1 and sum to 1.
    """
    if (found := _unbounded(answers, known, gold, confidence)) is None:
        return None
    raw, bounds = found
    low, high = np.clip(bounds, 0, 1)
    shares = nearest_shares(raw)
    return [
        Share(float(share), float(least), float(most))
        for share, least, most in zip(shares, np.minimum(low, shares), np.maximum(high, shares), strict=True)
    ]


def is_refuted(answers: Answers, known: Floats, gold: Codes, confidence: float) -> bool:
    """Whether the answers surely fit no shares, so that label shift does not hold: one would be below 0 or above 1.

    Under label shift that is said with a chance of 1 - confidence at most (Bonferroni over the classes).  That it is
    not said proves nothing: other texts may give answers that some shares explain.
    """
    level = 1 - (1 - confidence) / len(answers.mean)
    found = _unbounded(answers, known, gold, level)
    return found is not None and bool((found[1][1] < 0).any() or (found[1][0] > 1).any())


def _unbounded(
    answers: Answers, known: Floats, gold: Codes, confidence: float
) -> tuple[Floats, tuple[Floats, Floats]] | None:
    """q M^-1 (K,) and its lowest and highest values, which may lie outside 0 to 1."""
    classes = len(answers.mean)
    counts = np.bincount(gold, minlength=classes)
    if counts.min() < LEAST_ROWS:
        return None
    by_class = np.stack([known[gold == code].mean(axis=0) for code in range(classes)])
    if np.linalg.cond(by_class) > WORST:
        return None
    inverse = np.linalg.inv(by_class)
    raw = answers.mean @ inverse
    of_new = np.einsum("ik,ij,jk->k", inverse, answers.covariance, inverse) / answers.rows
    of_known = np.stack(
        [raw[code] ** 2 * (known[gold == code] @ inverse).var(axis=0, ddof=1) / counts[code] for code in range(classes)]
    )
    found = []
    for code in range(classes):
        components = [Component.chi_square(float(of_new[code]), max(answers.rows - 1, 1))]
        components += [Component.chi_square(float(of_known[of, code]), counts[of] - 1) for of in range(classes)]
        interval = t_interval(float(raw[code]), components, confidence)
        found.append((interval.low, interval.high))
    low, high = np.array(found).T
    return raw, (low, high)


def nearest_shares(raw: Floats) -> Floats:
    """The nearest numbers from 0 on that sum to 1, (K,) -> (K,): Michelot (1986), by Duchi et al.'s sorting (2008)."""
    falling = np.sort(raw)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(raw) + 1)
    kept = int(np.flatnonzero(falling > excess)[-1])
    shares: Floats = np.maximum(raw - excess[kept], 0.0)
    return shares


def answers_of(probabilities: Floats) -> Answers:
    """What is said of new rows (N, K), two or more."""
    return Answers(len(probabilities), probabilities.mean(axis=0), np.cov(probabilities, rowvar=False))
