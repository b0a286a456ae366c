"""Signatures of texts in bands: of texts with a Jaccard similarity of s, a band of r hashes is the same with s^r.

Broder (1997), *On the resemblance and containment of documents*: the least of random hashes of two sets is the same
with the probability of their similarity.  Li, Owen & Zhang (2012), *One Permutation Hashing*, arXiv 1208.1259: one hash
of each shingle does, where each of BINS bins of hashes has a least one; Shrivastava & Li (2014), arXiv 1406.4784: an
empty bin takes that of the next one.  Bands: Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelrisk.corpora.near_duplicates.shingles import CHARACTERS, letters
from labelrisk.corpora.texts_file import TextsFile, in_pieces

BINS = 64  # hashes of a signature
FOUND = 0.995  # of pairs of exactly the least similarity, so many share a band at least
TEXTS_AT_ONCE = 4096  # so that what is computed stays in the cache
BYTES_AT_ONCE = 2**20  # of these texts: a letter takes some 80 bytes while it is worked on
THREADS = 2

ODD = np.uint64(0x9E3779B97F4A7C15)
OTHER = np.uint64(0xBF58476D1CE4E5B9)
EMPTY = np.uint64(2**64 - 1)

Hashes = NDArray[np.uint64]


def rows_of_band(least: float) -> int:
    """The most hashes of a band with which FOUND of the pairs of this similarity share one."""
    return max(rows for rows in range(1, BINS + 1) if rows == 1 or 1 - (1 - least**rows) ** (BINS // rows) >= FOUND)


def bands_of(
    texts: TextsFile, rows: NDArray[np.int64], least: float, seed: int
) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """Hashes of the bands (B, N) of the texts of these rows, ascending, and which have any shingle, (N,)."""
    width = rows_of_band(least)
    found = np.empty((BINS // width, len(rows)), dtype=np.uint32)
    has = np.zeros(len(rows), dtype=bool)

    def fill(some: tuple[int, list[str]]) -> None:
        start, of = some
        signatures, any_of = _signatures(of, seed)
        has[start : start + len(of)] = any_of
        found[:, start : start + len(of)] = _banded(signatures, width)

    with ThreadPoolExecutor(THREADS) as pool:
        waiting = _small_parts(texts, rows)
        while some := list(islice(waiting, 4 * THREADS)):  # no more texts in memory than are worked on
            list(pool.map(fill, some))
    return found, has


def _small_parts(texts: TextsFile, rows: NDArray[np.int64]) -> Iterator[tuple[int, list[str]]]:
    for at, some in texts.parts(rows):
        for piece in in_pieces(pc.binary_length(some).to_numpy(), TEXTS_AT_ONCE, BYTES_AT_ONCE):
            yield at.start + piece.start, some[piece].to_pylist()


def _signatures(texts: Sequence[str], seed: int) -> tuple[Hashes, NDArray[np.bool_]]:
    """(n, BINS) the least hash of each bin, and which texts have shingles, (n,)."""
    codes, starts = letters(texts)
    counts = np.maximum(np.diff(starts) - CHARACTERS + 1, 0)
    found = np.full((len(texts), BINS), EMPTY)
    if counts.any():
        row = np.repeat(np.arange(len(texts)), counts)
        first = np.repeat(starts[:-1] - (np.cumsum(counts) - counts), counts) + np.arange(len(row))
        hashes = _of_windows(codes.astype(np.uint64), seed)[first]
        places = row * BINS + (hashes >> np.uint64(58)).astype(np.int64)
        np.minimum.at(found.reshape(-1), places, hashes & np.uint64(2**58 - 1))
    some = counts > 0
    _fill_empty(found, np.flatnonzero(some))
    return found, some


def _of_windows(codes: Hashes, seed: int) -> Hashes:
    """A hash of each run of CHARACTERS code points."""
    size = len(codes) - CHARACTERS + 1
    found = codes[:size] + np.uint64(seed)
    for at in range(1, CHARACTERS):
        found *= ODD
        found += codes[at : at + size]
    for factor in (OTHER, ODD):
        found ^= found >> np.uint64(31)
        found *= factor
    found ^= found >> np.uint64(32)
    return found


def _fill_empty(found: Hashes, rows: NDArray[np.int64]) -> None:
    """An empty bin takes what the next one has, changed by how far that is."""
    while len(rows):
        of = found[rows]
        empty = of == EMPTY
        incomplete = empty.any(axis=1)
        rows, of, empty = rows[incomplete], of[incomplete], empty[incomplete]
        after = np.roll(of, -1, axis=1)
        taken = empty & (after != EMPTY)
        of[taken] = (after[taken] + ODD) & np.uint64(2**63 - 1)
        found[rows] = of


def _banded(signatures: Hashes, width: int) -> NDArray[np.uint32]:
    """(B, n) one hash of each band of so many hashes."""
    bands = signatures[:, : BINS // width * width].reshape(len(signatures), -1, width)
    found = bands[:, :, 0].copy()
    for at in range(1, width):
        found *= OTHER
        found ^= found >> np.uint64(29)
        found += bands[:, :, at]
    found *= ODD
    return (found >> np.uint64(32)).astype(np.uint32).T
