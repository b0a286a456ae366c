"""Bartlett's test, thousands of which are asked of samples of a few numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labelrisk.statistics.scores import Floats


def bartlett_p(samples: Sequence[Floats]) -> float:
    """The p of equal variances: samples (n_i,) of two numbers or more that differ.

    T = ((N - k) log s^2 - sum_i (n_i - 1) log s_i^2) / (1 + (sum_i 1 / (n_i - 1) - 1 / (N - k)) / (3 (k - 1))), which
    is chi-squared with k - 1 degrees of freedom, as scipy.stats.bartlett has it, which takes 30 times as long.
    Bartlett, "Properties of Sufficiency and Statistical Tests" (1937).
    """
    from scipy.special import chdtrc

    degrees = np.array([len(one) - 1.0 for one in samples])
    squares = np.array([one.var(ddof=1) for one in samples])
    total, others = degrees.sum(), len(samples) - 1
    pooled = (degrees * squares).sum() / total
    statistic = total * np.log(pooled) - (degrees * np.log(squares)).sum()
    statistic /= 1 + ((1 / degrees).sum() - 1 / total) / (3 * others)
    return float(chdtrc(others, max(statistic, 0.0)))
