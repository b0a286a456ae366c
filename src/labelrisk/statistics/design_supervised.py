"""Design-based supervised learning: labels are corrected by a model of gold, and the model by how rows were drawn."""

from __future__ import annotations

import numpy as np

from labelrisk.statistics.drawn_rows import Drawn, Estimates, estimates
from labelrisk.statistics.scores import Floats

FOLDS = 5
PENALTY = 1.0  # of the ridge: what one drawn row counts


def design_supervised(
    design: Floats, outcomes: Floats, given: Floats, drawn: Drawn, features: Floats, penalty: float = PENALTY
) -> Estimates:
    """DSL: regress the pseudo-outcome g + R / pi (outcome - g) of all rows on the design (N, P).

    g is a model of the outcomes (N, K) from the given labels (N, K) and features (N, D), the first a column of ones:
    given + features x coefficients, by ridge regression on the drawn rows.  Each drawn row's g is learned without its
    fold; that of the other rows is the mean over folds.  Any g leaves the estimate nearly without bias, for the
    probabilities are known (nearly: of rows drawn without replacement, those outside a fold tell a little about those
    in it); a good one makes it exact.  Egami, Hinck, Stewart & Wei, "Using Imperfect Surrogates for Downstream
    Inference" (NeurIPS 2023, arXiv 2306.04746), equation 4 and algorithm 1; folds of the drawn rows alone as in Zrnic &
    Candes, "Cross-Prediction-Powered Inference" (2024).
    """
    x, weights = design[drawn.places], 1 / drawn.probabilities[drawn.places]
    outcome = outcomes[drawn.places]
    residuals, correction = _cross_fitted(features[drawn.places], outcome - given[drawn.places], weights, penalty)
    inverse = np.linalg.inv(design.T @ design)
    pulls = (x * weights[..., None]) @ inverse
    of_all = inverse @ (design.T @ given) + inverse @ (design.T @ features) @ correction
    values = of_all + pulls.swapaxes(1, 2) @ residuals
    return estimates(values, pulls, residuals, outcome - x @ values, drawn)


def _cross_fitted(features: Floats, errors: Floats, weights: Floats, penalty: float) -> tuple[Floats, Floats]:
    """What each row's model leaves of its error (B, n, K), learned without its fold, and the mean model (B, D, K).

    features (B, n, D), errors (B, n, K), weights (B, n).  Rows are in random order, so that every fifth is a fold.
    """
    rows = features.shape[1]
    folds = [slice(fold, None, FOLDS) for fold in range(FOLDS)]
    weighted = features * (weights / weights.mean(axis=1, keepdims=True))[..., None]
    grams = [weighted[:, one].swapaxes(1, 2) @ features[:, one] for one in folds]
    moments = [weighted[:, one].swapaxes(1, 2) @ errors[:, one] for one in folds]
    ridge = penalty * np.eye(features.shape[2])
    ridge[0, 0] = 1e-9 * rows  # the intercept is free
    left, mean = np.empty_like(errors), np.zeros((len(features), features.shape[2], errors.shape[2]))
    for one, gram, moment in zip(folds, grams, moments, strict=True):
        model = np.linalg.solve(sum(grams) - gram + ridge, sum(moments) - moment)
        left[:, one] = errors[:, one] - features[:, one] @ model
        mean += model * (len(range(rows)[one]) / rows)
    return left, mean
