"""Rows that are nearly the same as one that is kept before them: candidates share a band, and are then compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from labelrisk.corpora.duplicates import elsewhere_of, preference
from labelrisk.corpora.keys import Keys
from labelrisk.corpora.near_duplicates.shingles import jaccard, letters
from labelrisk.corpora.near_duplicates.signatures import bands_of
from labelrisk.corpora.prepared import SPLITS
from labelrisk.corpora.texts_file import TextsFile, in_pieces

EARLIER = 32  # rows just before it in its bucket, and the first there, that a row is compared with
PAIRS_AT_ONCE = 4_000
BYTES_AT_ONCE = 2**21  # of their texts: a letter takes some 150 bytes in a set of shingles
REMEMBERED = 10_000_000  # pairs, at most, that are not compared again
NONE = -1

Rows = NDArray[np.int64]


def without_near_duplicates(rows: Keys, texts: TextsFile, least: float, seed: int) -> tuple[Keys, dict[str, int]]:
    """Leave out each row whose text is nearly that of an earlier one, and count what was left out by reason.

    rows: each text once.  Earlier is, as among copies, test before validation before train, gold before none, and then
    the order of the input.  Nearly: a Jaccard similarity of shingles of `least` at least.  A row that the corpus itself
    puts into test stays: only others go for it.
    """
    alike = np.where(rows.splits == SPLITS.index("test"), NONE, nearly_the_same(rows, texts, least, seed))
    copies = np.flatnonzero(alike != NONE)
    elsewhere = elsewhere_of(rows.splits[alike[copies]], rows.splits[copies])
    dropped = {"near_duplicate": len(copies) - elsewhere, "near_duplicate_of_another_split": elsewhere}
    return rows[alike == NONE], dropped


def nearly_the_same(rows: Keys, texts: TextsFile, least: float, seed: int) -> Rows:
    """The position of an earlier row that each is nearly the same as, NONE where there is none: (N,)."""
    order = np.lexsort((np.arange(len(rows)), preference(rows)))  # positions, those that are kept first
    hashes, has = bands_of(texts, rows.rows, least, seed)
    found = np.full(len(rows), NONE)
    unlike = np.zeros(0, dtype=np.uint64)  # pairs that were compared in vain
    for band in hashes:
        for later, earlier in _candidates(band, order[has[order]], found):
            pairs = later.astype(np.uint64) * np.uint64(len(rows)) + earlier.astype(np.uint64)
            new = ~np.isin(pairs, unlike)
            later, earlier, pairs = later[new], earlier[new], pairs[new]
            same = _similarities(rows.rows[later], rows.rows[earlier], texts) >= least
            found[later[same]] = earlier[same]
            if len(unlike) < REMEMBERED:
                unlike = np.union1d(unlike, pairs[~same])
    return found


def _candidates(band: NDArray[np.uint32], order: Rows, found: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Rows of the same hash, a later and an earlier one, each later row once in a turn, as long as none is found."""
    bucket = order[np.argsort(band[order], kind="stable")]
    hashes = band[bucket]
    begins = np.append(True, hashes[1:] != hashes[:-1])
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    places = np.flatnonzero(~begins & (found[bucket] == NONE))
    turns = [None, *range(1, EARLIER + 1)]
    for back in turns:
        other = start[places] if back is None else places - back
        if back is not None:
            inside = other > start[places]
            places, other = places[inside], other[inside]
        if not len(places):
            return
        yield bucket[places], bucket[other]
        places = places[found[bucket[places]] == NONE]


def _similarities(ones: Rows, others: Rows, texts: TextsFile) -> NDArray[np.float64]:
    """Jaccard similarities of pairs of texts, by their places in the file: (n,)."""
    found, sizes = np.empty(len(ones)), texts.sizes()
    for at in in_pieces(sizes[ones].astype(np.int64) + sizes[others], PAIRS_AT_ONCE, BYTES_AT_ONCE):
        rows, places = np.unique(np.concatenate([ones[at], others[at]]), return_inverse=True)
        sets = letters(texts.at(rows)).shingles()
        pairs = places.reshape(2, -1).T.tolist()
        found[at] = [jaccard(sets[one], sets[other]) for one, other in pairs]
    return found
