"""The rows that look most like others: nearest by cosine, in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS = 4_000_000  # cosines that are held at once
DIGITS = 6  # of a cosine: those beyond differ from machine to machine


def nearest_rows(vectors: NDArray[Any], among: NDArray[Any], number: int) -> NDArray[np.int64]:
    """Positions, (N, k), of the k rows of `among` (M, D) with the highest cosine to each of `vectors` (N, D).

    k is `number`, or M where that is less; in no order.  Of equal cosines the first rows are taken.
    """
    others = _of_length_one(among).T
    nearest = min(number, len(among))
    found = np.empty((len(vectors), nearest), dtype=np.int64)
    block = max(CELLS // max(len(among), 1), 1)
    for start in range(0, len(vectors), block):
        cosines = _of_length_one(vectors[start : start + block]) @ others
        np.round(cosines, DIGITS, out=cosines)
        some = np.argpartition(cosines, -nearest, axis=1)[:, -nearest:]
        least = np.take_along_axis(cosines, some, axis=1).min(axis=1, keepdims=True)
        for row in np.flatnonzero((cosines >= least).sum(axis=1) > nearest):  # which of the equal ones is by chance
            above, equal = (np.flatnonzero(are(cosines[row], least[row])) for are in (np.greater, np.equal))
            some[row] = np.concatenate([above, equal])[:nearest]
        found[start : start + block] = some
    return found


def _of_length_one(vectors: NDArray[Any]) -> NDArray[Any]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
