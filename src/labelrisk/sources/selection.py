"""Which rows an action falls on."""

from __future__ import annotations

import numpy as np


def most_uncertain(entropy: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Positions of the top share of rows by entropy: a rank, never a threshold (paper A); ties fall at random.

    entropy: (n,) nats, NaN where there is no distribution; such rows are not ranked.  The share is of the ranked rows.
    """
    ranked = np.flatnonzero(~np.isnan(entropy))
    order = np.lexsort((generator.random(len(ranked)), -entropy[ranked]))
    return np.sort(ranked[order[: round(share * len(ranked))]])


def at_random(candidates: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """`size` of the candidate positions, drawn without replacement."""
    return np.sort(generator.choice(candidates, size=size, replace=False))
