"""The first so many rows of an order that keeps the shares of classes and in which small parts lie in larger ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.repairs.contract import Codes
from labelrisk.statistics.class_codes import NO_LABEL

HASHED_AT_ONCE = 2**16


def first_rows(labels: Codes, ids: Sequence[str] | pd.Series, size: int, salt: str) -> NDArray[np.bool_]:
    """Which rows belong to the part: (N,).  Rows without a label belong to none.

    labels: codes (N,), -1 for none; salt: another one gives another order.  Within its class each row has a rank by
    the hash of its id; rows follow one another by rank over size of class, so that any first part holds each class in
    proportion, up to one row, and 250 rows are among the first 1,000.
    """
    hashes = np.empty(len(labels), dtype=np.uint64)
    for start in range(0, len(labels), HASHED_AT_ONCE):
        some = ids[start : start + HASHED_AT_ONCE]
        digests = b"".join([hashlib.sha256(f"{salt} {one}".encode()).digest()[:8] for one in some])
        hashes[start : start + len(some)] = np.frombuffer(digests, dtype=">u8")
    place = np.full(len(labels), np.inf)
    for code in np.unique(labels[labels != NO_LABEL]):
        members = np.flatnonzero(labels == code)
        rank = np.argsort(np.argsort(hashes[members], kind="stable"), kind="stable")
        place[members] = (rank + 0.5) / len(members)
    taken = np.zeros(len(labels), dtype=bool)
    taken[np.lexsort((hashes, place))[:size]] = True
    taken &= labels != NO_LABEL
    return taken
