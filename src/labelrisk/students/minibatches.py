"""Which rows share a batch: rows of similar length, so that little is computed on padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

# batches per window of similar lengths: the window of transformers' group_by_length
WINDOW = 50
MULTIPLE = 4  # of a batch's width in tokens


def shuffled(lengths: NDArray[np.integer[Any]], size: int, generator: np.random.Generator) -> list[Rows]:
    """Draw the batches of one epoch: each row once, ceil(N / size) batches of `size` rows, one may be smaller.

    Rows are shuffled, sorted by length only within windows of WINDOW batches, and the batches are shuffled:
    so neighbours differ from epoch to epoch, and lengths don't rise or fall over an epoch.
    """
    order = generator.permutation(len(lengths))
    batches: list[Rows] = []
    for start in range(0, len(order), WINDOW * size):
        window = order[start : start + WINDOW * size]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches.extend(window[at : at + size] for at in range(0, len(window), size))
    return [batches[at] for at in generator.permutation(len(batches))]


def endless(lengths: NDArray[np.integer[Any]], size: int, generator: np.random.Generator) -> Iterator[Rows]:
    """The batches of one epoch after another."""
    while True:
        yield from shuffled(lengths, size, generator)


def by_length(lengths: NDArray[np.integer[Any]], size: int) -> list[Rows]:
    """Cut rows into batches for prediction: longest first, so that too little memory shows at once."""
    order = np.argsort(-lengths, kind="stable")
    return [order[at : at + size] for at in range(0, len(order), size)]


def by_tokens(lengths: NDArray[np.integer[Any]], tokens: int, multiple: int = 4) -> list[Rows]:
    """Cut rows into batches of at most so many tokens with their padding, and of one row at least; longest first.

    multiple: of a batch's width in tokens.
    """
    order = np.argsort(-lengths, kind="stable")
    found, start = [], 0
    while start < len(order):
        width = -(-int(lengths[order[start]]) // multiple) * multiple
        end = start + max(1, tokens // width)
        found.append(order[start:end])
        start = end
    return found
