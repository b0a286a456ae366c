"""Resamples of rows, for percentile intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]


def row_weights(rows: int, resamples: int, generator: np.random.Generator) -> Weights:
    """How often each row is drawn in each resample of `rows` rows with replacement: shape (B, N)."""
    return generator.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(np.float32)
