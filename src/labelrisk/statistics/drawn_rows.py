"""Rows that were drawn with known probabilities, and what they say of all rows they were drawn from.

All functions take B draws of n rows out of N at once, so that hundreds of draws cost no more than a few.  A class share
is the least-squares coefficient of an indicator on a column of ones; K outcomes are estimated side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.intervals import FEWEST_DEGREES
from labelrisk.statistics.scores import Floats

LEAST_SHARE = 0.1  # of a residual: a row that decides a coefficient alone has none that could be told


class Drawn(NamedTuple):
    """B draws of n rows: their places (B, n) among N rows, and the inclusion probabilities of all rows (N,), nan where
    that of a row that was not drawn is unknown.
    """

    places: NDArray[np.intp]
    probabilities: Floats


class Estimates(NamedTuple):
    """Coefficients, standard errors, and the degrees of freedom of these, (B, P, K) each; nan where a draw can't tell.

    errors: about the rows that were drawn from, whose truth is what all their outcomes would say; beyond: about
    the world that these rows are a random sample of.
    """

    values: Floats
    errors: Floats
    beyond: Floats
    degrees: Floats


class Fit(NamedTuple):
    """Weighted least squares on drawn rows: coefficients (B, P, K), residuals (B, n, K), what one unit of a row's
    outcome adds to the coefficients (B, n, P), and the share of a residual that it would have if the row were left out.
    """

    values: Floats
    residuals: Floats
    pulls: Floats
    shares: Floats


def weighted_fit(design: Floats, outcomes: Floats, drawn: Drawn) -> Fit:
    """Regress outcomes (N, K), of which only drawn rows are read, on the design (N, P) with weights 1 / probability.

    For a column of ones this is Hajek's mean.  nan where the drawn rows do not tell the columns of the design apart.
    """
    x, weights = design[drawn.places], 1 / drawn.probabilities[drawn.places]
    weighted = x * weights[..., None]
    grams = weighted.swapaxes(1, 2) @ x
    blind = np.linalg.matrix_rank(grams, hermitian=True) < design.shape[1]
    grams[blind] = np.eye(design.shape[1])
    pulls = weighted @ np.linalg.inv(grams)
    pulls[blind] = np.nan
    outcome = outcomes[drawn.places]
    values = pulls.swapaxes(1, 2) @ outcome
    shares = np.maximum(1 - (pulls * x).sum(axis=2, keepdims=True), LEAST_SHARE)
    return Fit(values, outcome - x @ values, pulls, shares)


def gold_rows_alone(design: Floats, outcomes: Floats, drawn: Drawn) -> Estimates:
    """What the drawn rows say without any label of the others: the classical estimate, weighted by the design.

    With all rows drawn for sure, `beyond` is the error that the usual regression gives (HC3).
    """
    fit = weighted_fit(design, outcomes, drawn)
    left_out = fit.residuals / fit.shares
    return estimates(fit.values, fit.pulls, left_out, left_out, drawn)


def estimates(values: Floats, pulls: Floats, errors: Floats, residuals: Floats, drawn: Drawn) -> Estimates:
    """Coefficients (B, P, K) with their errors: a sum over drawn rows of pull x error, (B, n, P) and (B, n, K).

    errors: of what was predicted of the drawn rows, as if each had been left out (HC3; Long & Ervin 2000: other errors
    are too small below 250 rows).  Their variance over draws is sum (1 - pi) (s - mean)^2, the mean weighted by 1 - pi:
    for simple random draws that has the finite population correction, for unequal probabilities without replacement it
    is Hajek's (1964) approximation; Tille, "Sampling Algorithms" (2006), section 7.5.
    residuals (B, n, K): of the outcomes on the design; weighted to all N rows they give what all outcomes would vary
    by, which `beyond` adds.
    Degrees of freedom: 2 v^2 / Var(v), v the variance, with Var(v) from the spread of its terms (Satterthwaite): few
    where a few rows make up the variance, such as wrong labels of rows that were drawn with a low probability.
    """
    probabilities = drawn.probabilities[drawn.places]
    rows, columns = pulls.shape[1:]
    scores = pulls[..., :, None] * errors[..., None, :]
    spare = (1 - probabilities)[..., None, None]
    whole = spare.sum(axis=1, keepdims=True)
    means = (spare * scores).sum(axis=1, keepdims=True) / np.where(whole > 0, whole, 1)  # 0: all are drawn for sure
    terms = spare * (scores - means) ** 2
    squares = terms.sum(axis=1)
    spread = ((terms - terms.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    degrees = np.full(squares.shape, float(rows - columns))
    np.divide(2 * squares**2, spread, out=degrees, where=spread * degrees > 2 * squares**2)
    census = (probabilities[..., None] * pulls**2).swapaxes(1, 2) @ residuals**2
    return Estimates(values, np.sqrt(squares), np.sqrt(squares + census), np.maximum(degrees, FEWEST_DEGREES))


def half_width(errors: Floats, degrees: Floats, confidence: float) -> Floats:
    """What lies on either side of an estimate: Student's t times the error, with so many degrees of freedom."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(degrees, (1 + confidence) / 2) * errors)
