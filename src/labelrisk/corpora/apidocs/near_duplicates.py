"""Groups of texts that say nearly the same, so that no two of them can stand on both sides of a split."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

SAME_WORDS = 0.66  # one word of five exchanged gives 4/6 = .67
SAME_START = 8
BLOCK = 512  # rows compared at a time: bounds memory at BLOCK * N counts


def normalised(text: str) -> str:
    """Lower case, numbers as 0, punctuation and extra white space gone."""
    return " ".join(re.sub(r"[^\w\s]|_", " ", re.sub(r"\d+", "0", text.lower())).split())


def near_duplicates(texts: Sequence[str]) -> NDArray[np.int64]:
    """Number the groups of near-duplicates: shape (N,), texts of one group have the same number.

    Two texts are near-duplicates when, normalised, the Jaccard index of their sets of words, |A & B| / |A | B|, is
    at least SAME_WORDS, or when they share their first SAME_START words. Groups are the connected components: a
    near-duplicate of a near-duplicate is in the group too.
    """
    words = [normalised(text).split() for text in texts]
    sets = [sorted(set(row)) for row in words]
    sizes = np.array([len(row) for row in sets], dtype=np.int64)
    codes, vocabulary = pd.factorize(np.array([word for row in sets for word in row], dtype=object))
    rows = np.repeat(np.arange(len(texts)), sizes)
    shape = (len(texts), len(vocabulary))
    occurs = csr_array((np.ones(len(codes), dtype=np.int32), (rows, codes)), shape=shape)
    edges = [_same_start(words)]
    for start in range(0, len(texts), BLOCK):
        block = occurs[start : start + BLOCK]
        shared = (block @ occurs.T).tocoo()
        left, right = shared.coords[0] + start, shared.coords[1]
        alike = shared.data >= SAME_WORDS * (sizes[left] + sizes[right] - shared.data)
        edges.append(np.stack([left[alike], right[alike]]))
    left, right = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(texts), len(texts)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _same_start(words: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Edges from each text to the first one with the same start, shape (2, E); shorter texts have no start."""
    first: dict[tuple[str, ...], int] = {}
    long = [(row, tuple(text[:SAME_START])) for row, text in enumerate(words) if len(text) >= SAME_START]
    return np.array([(row, first.setdefault(start, row)) for row, start in long], dtype=np.int64).reshape(-1, 2).T
