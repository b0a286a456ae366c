"""Prediction-powered inference with power tuning: what few gold labels and many others say together."""

from __future__ import annotations

import numpy as np

from labelrisk.statistics.drawn_rows import Drawn, Estimates, Fit, estimates, weighted_fit
from labelrisk.statistics.scores import Floats


def prediction_powered(
    design: Floats, outcomes: Floats, given: Floats, drawn: Drawn, power: Floats | None = None
) -> Estimates:
    """PPI++: l b(given, all rows) + b(outcomes - l given, drawn rows), b the least-squares coefficients.

    design (N, P), outcomes (N, K), read on drawn rows alone; given (N, K): the same by the annotator's labels.
    power: l, (B, K), None to tune it by `tuned`.  Angelopoulos, Duchi & Zrnic, "PPI++: Efficient Prediction-Powered
    Inference" (2023, arXiv 2311.01453), sections 2 and 6; drawn rows are weighted by their design.  They are among all
    rows here, while theirs are beside them: with N rows, n of them drawn, their l is this one times (N - n) / N.
    """
    gold, said = weighted_fit(design, outcomes, drawn), weighted_fit(design, given, drawn)
    inverse = np.linalg.inv(design.T @ design)
    of_all = inverse @ (design.T @ given)
    if power is None:
        power = tuned(design @ inverse, given - design @ of_all, gold, said, drawn)
    weight = power[:, None, :]
    values = weight * of_all + gold.values - weight * said.values
    errors = (gold.residuals - weight * said.residuals) / gold.shares
    return estimates(values, gold.pulls, errors, gold.residuals / gold.shares, drawn)


def tuned(pulls: Floats, residuals: Floats, gold: Fit, said: Fit, drawn: Drawn) -> Floats:
    """The power (B, K) that makes the variances of the coefficients least in sum; 0 where labels do not help.

    pulls (N, P), residuals (N, K): of the given labels on all rows.  The covariance with gold is known on drawn rows,
    the variance of the given labels on all of them; where probabilities of rows that were not drawn are unknown (nan),
    it is estimated from those drawn.  At most N / (N - n), their bound of 1.
    """
    every = drawn.probabilities
    rows, chosen = len(every), drawn.places.shape[1]
    spare = 1 - every[drawn.places]
    together = ((spare * (gold.pulls**2).sum(axis=2))[..., None] * gold.residuals * said.residuals).sum(axis=1)
    terms = ((1 - every) / every * (pulls**2).sum(axis=1))[:, None] * residuals**2 * rows / (rows - 1)
    if np.isnan(every).any():
        alone = (terms[drawn.places] / every[drawn.places][..., None]).sum(axis=1)
    else:
        alone = terms.sum(axis=0)
    found = np.divide(together, alone, out=np.zeros_like(together), where=alone > 0)
    return np.asarray(np.clip(found, 0, rows / max(rows - chosen, 1)))
