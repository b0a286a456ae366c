"""What is kept in memory of each row while a corpus is prepared: everything but its text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.corpora.prepared import SPLITS
from labelrisk.statistics.class_codes import NO_LABEL

Identities = NDArray[np.uint64]
Codes = NDArray[np.int32]
ANY = -1  # no split: it is to be drawn
DRAWN_AT_ONCE = 2**18


@dataclass(frozen=True, eq=False)
class Places:
    """Where the rows of a corpus stand: what they are of, from which row on, and the number of each there."""

    of: Sequence[str]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Keys:
    """Rows as arrays (N,), some 25 bytes a row.

    rows: the place of each among all rows of the corpus; ids: content ids as numbers; golds: codes among `labels`, -1
    without gold; splits: places in SPLITS, ANY where it is to be drawn; slices: by column codes among its names, -1 for
    none; places: of all rows of the corpus.
    """

    rows: NDArray[np.int64]
    ids: Identities
    golds: Codes
    splits: NDArray[np.int8]
    labels: Sequence[str]
    slices: Mapping[str, tuple[Codes, Sequence[str]]]
    places: Places

    def __getitem__(self, chosen: NDArray[Any] | slice) -> Keys:
        """Some of the rows, by positions, a mask or a slice."""
        arrays = {name: getattr(self, name)[chosen] for name in ("rows", "ids", "golds", "splits")}
        slices = {column: (codes[chosen], names) for column, (codes, names) in self.slices.items()}
        return replace(self, **arrays, slices=slices)

    def __len__(self) -> int:
        return len(self.ids)

    def with_splits(self, splits: NDArray[np.int8]) -> Keys:
        """The same rows in other splits."""
        return replace(self, splits=splits)

    def where(self, row: int) -> str:
        """File and place of a row, for messages."""
        place = self.rows[row]
        of = self.places.of[int(np.searchsorted(self.places.starts, place, side="right")) - 1]
        return f"{of} {self.places.numbers[place]}"

    def of_split(self, name: str) -> NDArray[np.bool_]:
        """Which rows are in a split."""
        found: NDArray[np.bool_] = self.splits == SPLITS.index(name)
        return found

    def frame(self) -> pd.DataFrame:
        """`id, gold, split`."""
        golds, splits = np.array([*self.labels, None], dtype=object), np.array([*SPLITS, None], dtype=object)
        ids = hexadecimal(self.ids).to_pandas()
        return pd.DataFrame({"id": ids, "gold": golds[self.golds], "split": splits[self.splits]})


def named(codes: Codes, names: Sequence[str]) -> pa.Array:
    """Codes as strings, null where there is none; an array of nulls alone where no row has a name."""
    if not (codes != NO_LABEL).any():
        return pa.nulls(len(codes))
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes == NO_LABEL))


def hexadecimal(ids: Identities) -> pa.Array:
    """Ids as they are written: 16 hexadecimal digits."""
    offsets = pa.py_buffer(np.arange(0, 16 * len(ids) + 1, 16, dtype=np.int64))
    return pa.Array.from_buffers(pa.large_string(), len(ids), [None, offsets, pa.py_buffer(_digits(ids))])


def drawn_numbers(salt: str, ids: Identities) -> Identities:
    """rows.drawn_number of each row: (N,)."""
    found, start = np.empty(len(ids), dtype=np.uint64), f"{salt}:".encode()
    for first in range(0, len(ids), DRAWN_AT_ONCE):
        digits = _digits(ids[first : first + DRAWN_AT_ONCE])
        digests = [hashlib.sha256(start + digits[at : at + 16]).digest()[:8] for at in range(0, len(digits), 16)]
        found[first : first + len(digests)] = np.frombuffer(b"".join(digests), dtype=">u8")
    return found


def _digits(ids: Identities) -> bytes:
    return ids.astype(">u8").tobytes().hex().encode()
