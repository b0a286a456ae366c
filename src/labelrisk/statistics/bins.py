"""Bins of rows: as many rows in each as can be without parting rows of one value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def equal_mass(values: NDArray[Any], bins: int, least: int = 1) -> NDArray[np.int64]:
    """The bin of each value, numbered upwards from 0 without gaps: values (N,) -> (N,).

    Edges are quantiles, as those of scikit-learn's calibration_curve(strategy="quantile").  Rows of one value stay
    together: there may be fewer bins than asked for, and of fewer than `least` rows only where all rows are fewer.
    """
    edges = np.quantile(values, np.arange(1, bins) / bins)
    codes = np.searchsorted(edges, values, side="right")
    counts = np.bincount(codes)
    joined, number, rows = np.zeros(len(counts), dtype=np.int64), 0, 0
    for code, count in enumerate(counts):
        joined[code] = number
        rows += count
        if rows >= least and counts[code + 1 :].sum() >= least:  # what is left is a bin of its own
            number, rows = number + 1, 0
    found: NDArray[np.int64] = joined[codes]
    return found
