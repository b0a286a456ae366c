"""The rows that look most like others: nearest by cosine, in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS = 4_000_000  # cosines that are held at once


def nearest_rows(vectors: NDArray[Any], among: NDArray[Any], number: int) -> NDArray[np.int64]:
    """Positions, (N, k), of the k rows of `among` (M, D) with the highest cosine to each of `vectors` (N, D).

    k is `number`, or M where that is less; in no order.
    """
    others = _of_length_one(among).T
    nearest = min(number, len(among))
    found = np.empty((len(vectors), nearest), dtype=np.int64)
    block = max(CELLS // max(len(among), 1), 1)
    for start in range(0, len(vectors), block):  # the length of a row's own vector does not change who is nearest
        cosines = vectors[start : start + block] @ others
        found[start : start + block] = np.argpartition(cosines, -nearest, axis=1)[:, -nearest:]
    return found


def _of_length_one(vectors: NDArray[Any]) -> NDArray[Any]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
