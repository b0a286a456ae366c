"""The sign test over independent tasks, exact; what it can say at so few of them; and a median with its interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

HALF = 0.5
MOST = 1_000  # tasks up to which a smallest number is looked for: far beyond any study of studies


class SignTest(NamedTuple):
    """below: values below 0; counted: those that are not 0; ties: those that are; p: None where none counts.

    smallest: the p at so many that count where all of them are below 0: no smaller one is possible.
    """

    below: int
    counted: int
    ties: int
    p: float | None
    smallest: float | None


class Median(NamedTuple):
    """A median, the bounds of its interval and their coverage; these are None where too few values give none."""

    estimate: float
    low: float | None
    high: float | None
    coverage: float | None


def sign_test(values: Sequence[float]) -> SignTest:
    """Are values below 0 more often than above?  One-sided and exact; zeros are left out, as is usual.

    p = P(X >= below), X ~ Binomial(counted, 1/2).  Dixon and Mood, "The Statistical Sign Test" (1946).
    """
    from scipy.stats import binomtest

    counted = sum(value != 0 for value in values)
    below = sum(value < 0 for value in values)
    p = float(binomtest(below, counted, HALF, alternative="greater").pvalue) if counted else None
    return SignTest(below, counted, len(values) - counted, p, HALF**counted if counted else None)


def least_tasks(level: float) -> int:
    """The smallest n at which a one-sided sign test can have a p below `level`: (1/2)^n < level."""
    return next(n for n in range(1, MOST) if HALF**n < level)


def median(values: Sequence[float], confidence: float) -> Median:
    """The median, and the narrowest interval of order statistics that holds it with `confidence` or more, whatever the
    distribution; at 0.95 from six values on.

    [x_(r), x_(n+1-r)] has the coverage 1 - 2 P(X <= r - 1), X ~ Binomial(n, 1/2).  Thompson, "On Confidence Ranges for
    the Median and Other Expectation Distributions for Populations of Unknown Distribution Form" (1936).
    Raises statistics.StatisticsError without values.
    """
    ordered, n = sorted(values), len(values)
    estimate = float(statistics.median(ordered))
    found, below = None, 0.0  # below: P(X <= r - 1)
    for r in range(1, n // 2 + 1):
        below += math.comb(n, r - 1) * HALF**n
        if 1 - 2 * below < confidence:
            break
        found = Median(estimate, float(ordered[r - 1]), float(ordered[n - r]), 1 - 2 * below)
    return found or Median(estimate, None, None, None)


def least_values(confidence: float) -> int:
    """The smallest n at which `median` gives an interval: 1 - 2 (1/2)^n >= confidence."""
    return next(n for n in range(2, MOST) if 1 - 2 * HALF**n >= confidence)
