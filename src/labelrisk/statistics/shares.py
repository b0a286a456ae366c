"""Shares of rows, with an interval that is honest for few rows and for shares of 0 and 1."""

from __future__ import annotations

import math
from typing import NamedTuple


class Share(NamedTuple):
    """A share of rows and the bounds of its interval."""

    share: float
    low: float
    high: float


def wilson(hits: float, of: float, confidence: float) -> Share:
    """Wilson's score interval without continuity correction; `of` is 1 or more, as many as the rows are worth."""
    from scipy.special import ndtri

    return wilson_at(hits, of, float(ndtri((1 + confidence) / 2)))


def wilson_at(hits: float, of: float, z: float) -> Share:
    """The same of a quantile z, be it the normal one or a wider one.

    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).  Wilson, "Probable Inference, the Law of
    Succession, and Statistical Inference" (1927).
    """
    share = hits / of
    centre = share + z**2 / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    whole = 1 + z**2 / of
    return Share(share, max((centre - half) / whole, 0.0), min((centre + half) / whole, 1.0))
