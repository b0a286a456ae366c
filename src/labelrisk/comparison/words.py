"""Columns of a few different words, as numbers: what each of millions of rows is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.statistics.class_codes import NO_LABEL

Codes32 = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Words(ReadOnlyArrays):
    """A word of each row, or none: its place among `names`, -1 for none, (M,)."""

    codes: NDArray[np.signedinteger]
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> Words:
        """The words of rows in memory."""
        found = WordsRead()
        found.take(pa.array(values, pa.string()))
        return found.words()

    def among(self, words: Collection[str]) -> NDArray[np.bool_]:
        """Whether a row has one of these words, (M,)."""
        is_one = np.array([*(name in words for name in self.names), False])  # the last one is that of -1
        return np.asarray(is_one[self.codes])

    @property
    def given(self) -> NDArray[np.bool_]:
        """Whether a row has a word at all, (M,)."""
        return np.asarray(self.codes != NO_LABEL)


class WordsRead:
    """Words that come batch by batch."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._parts: list[NDArray[np.signedinteger]] = []

    def take(self, column: pa.Array) -> None:
        """The words of the next rows."""
        names = column.cast(pa.large_string()).dictionary_encode()
        for name in names.dictionary.to_pylist():
            self._places.setdefault(name, len(self._places))
        codes = codes_in(names, self._places)
        self._parts.append(codes.astype(np.min_scalar_type(-max(len(self._places), 1))))

    def words(self) -> Words:
        """All of them."""
        codes = np.concatenate(self._parts) if self._parts else np.empty(0, dtype=np.int8)
        return Words(codes, tuple(self._places))


def codes_in(column: pa.Array, places: Mapping[str, int]) -> Codes32:
    """The numbers of names: column (M,) -> (M,); -1 for no name, and for one that has no number."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.large_string()).dictionary_encode()
    numbers = [*(places.get(name, NO_LABEL) for name in column.dictionary.to_pylist()), NO_LABEL]
    indices = column.indices.fill_null(len(numbers) - 1).to_numpy(zero_copy_only=False)
    found: Codes32 = np.array(numbers, dtype=np.int32)[indices]
    return found


def class_places(classes: Sequence[str]) -> dict[str, int]:
    """The code of each class."""
    return {name: code for code, name in enumerate(classes)}
