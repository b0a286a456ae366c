"""Class shares of many rows with a classifier's probabilities, corrected by the few of them whose gold is known."""

from __future__ import annotations

import numpy as np

from labelrisk.statistics.drawn_rows import Drawn, Fit, estimates, half_width, weighted_fit
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.shares import Share, wilson

FEWEST = 15  # rows with gold, with which an interval means anything
ROUNDING = 1e-9


def powered_shares(
    mean: Floats, rows: int, given: Floats, gold: Floats, probabilities: Floats, confidence: float
) -> list[Share]:
    """PPI++ for means: l mean(given, all rows) + mean(gold - l given, drawn rows), of which rows weigh 1 / probability.

    mean (K,): of the probabilities of all rows; given, gold (n, K): those of the drawn rows, and 1 where a class is
    gold; probabilities (n,): with which these were drawn.  It is statistics.prediction_powered for a column of ones,
    without holding all rows: the power l is tuned on the drawn rows alone.  About these rows, not others like them.
    Where drawn rows do not vary, Wilson's interval of gold alone.
    """
    drawn = Drawn(np.arange(len(given))[None], probabilities)
    ones = np.ones((len(given), 1))
    fit, said = weighted_fit(ones, gold, drawn), weighted_fit(ones, given, drawn)
    power = _tuned(given - mean, fit, said, probabilities, rows)
    values = power * mean + fit.values - power * said.values
    errors = (fit.residuals - power * said.residuals) / fit.shares
    found = estimates(values, fit.pulls, errors, fit.residuals / fit.shares, drawn)
    half = half_width(found.errors, found.degrees, confidence)[0, 0]
    spare = 1 - float(1 / (1 / probabilities).mean())
    shares = []
    for code, value in enumerate(np.clip(values[0, 0], 0, 1)):
        if found.errors[0, 0, code] < ROUNDING and spare > ROUNDING:
            worth = len(given) / spare
            shares.append(wilson(float(np.clip(fit.values[0, 0, code], 0, 1)) * worth, worth, confidence))
            continue
        low, high = np.clip([values[0, 0, code] - half[code], values[0, 0, code] + half[code]], 0, 1)
        shares.append(Share(float(value), float(low), float(high)))
    return shares


def _tuned(off: Floats, gold: Fit, said: Fit, probabilities: Floats, rows: int) -> Floats:
    """The power (1, 1, K) with the least variance, 0 where the given do not help; see prediction_powered.tuned."""
    spare = 1 - probabilities
    together = (spare[:, None] * gold.pulls[0] ** 2 * gold.residuals[0] * said.residuals[0]).sum(axis=0)
    alone = ((spare / probabilities**2)[:, None] * (off / rows) ** 2 * rows / max(rows - 1, 1)).sum(axis=0)
    power = np.divide(together, alone, out=np.zeros_like(together), where=alone > 0)
    return np.asarray(np.clip(power, 0, rows / max(rows - len(probabilities), 1)))[None, None]
