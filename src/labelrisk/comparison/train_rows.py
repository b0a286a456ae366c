"""The train rows, of which there may be millions: by their place, never as Python objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.words import class_places, codes_in
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import undamaged
from labelrisk.parquet_parts import in_parts
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes

ROWS_AT_ONCE = 1 << 17  # of a file that is read
Places = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class TrainIds:
    """The ids of all train rows, in the order of the split; a row's place is where its id stands."""

    ids: pa.LargeStringArray

    @classmethod
    def of(cls, ids: Iterable[str]) -> TrainIds:
        """Of ids in memory."""
        return cls(pa.array(ids, pa.large_string()))

    def __len__(self) -> int:
        return len(self.ids)

    def some(self, places: NDArray[np.integer[Any]]) -> list[str]:
        """The ids at some places."""
        found: list[str] = self.ids.take(pa.array(places, pa.int64())).to_pylist()
        return found

    @cached_property
    def every(self) -> Places:
        """All places, one array for all who read it."""
        found = np.arange(len(self), dtype=np.int32)
        found.flags.writeable = False
        return found


@dataclass(frozen=True, eq=False)
class TrainGold(ReadOnlyArrays):
    """The train rows, and those whose gold is known: their places among all and their gold codes, (N,) each."""

    ids: TrainIds
    places: Places
    gold: Codes

    def of_all(self) -> Codes:
        """The gold of all train rows, -1 for none."""
        found = np.full(len(self.ids), NO_LABEL, dtype=self.gold.dtype)
        found[self.places] = self.gold
        return found


@dataclass(eq=False)
class Located:
    """The places of rows of a file, whose ids come batch by batch.

    As long as they come in the order of the train rows none is looked up, and none is kept.
    """

    known: TrainIds
    path: Path
    _as_known: int = 0
    _others: list[pa.Array] = field(default_factory=list)

    def take(self, ids: pa.Array) -> None:
        """The next ids."""
        some = ids.cast(pa.large_string())
        if not self._others and self.known.ids.slice(self._as_known, len(some)).equals(some):
            self._as_known += len(some)
        else:
            self._others.append(some)

    def places(self) -> Places:
        """The places of all rows that came, -1 for an id that is no train row's.

        Raises LabelRiskError where an id came twice.
        """
        if not self._others:
            return self.known.every[: self._as_known]
        others = pa.chunked_array(self._others)
        found = pc.index_in(others, value_set=self.known.ids).fill_null(-1).to_numpy().astype(np.int32)
        places = np.concatenate([self.known.every[: self._as_known], found])
        is_known = places >= 0
        counts = np.bincount(places[is_known], minlength=1)
        unknown = others.filter(pa.array(found < 0))
        if counts.max() > 1 or len(pc.unique(unknown)) < len(unknown):
            ids = pd.Series(pa.chunked_array([self.known.ids.slice(0, self._as_known), *self._others]).to_pandas())
            refuse_twice(self.path, ids[ids.duplicated()].iloc[0])
        return places


def refuse_twice(path: Path, identity: str) -> None:
    """Raise that a file holds a row twice."""
    raise LabelRiskError(
        f"{path} holds the row '{shown(identity)}' twice; remove it and run `dvc repro`, which makes it"
    )


def column_batches(
    path: Path, columns: Sequence[str], optional: Sequence[str] = (), rows: int = ROWS_AT_ONCE
) -> Iterator[pa.RecordBatch]:
    """The columns of a file that an earlier stage wrote, some rows at a time; optional: those that may not be there.

    Raises LabelRiskError for a damaged one, or one without a column; FileNotFoundError for one that is not there.
    """
    path.stat()  # of what is not there the parser does not say what
    with undamaged(path):
        file = in_parts(path)
        names = file.schema_arrow.names
        for column in columns:
            if column not in names:
                raise ValueError(f"it has no column '{column}'")
        for batch in file.iter_batches(rows, columns=[*columns, *(name for name in optional if name in names)]):
            batch.validate(full=True)
            yield batch


def read_train(prepared: Prepared) -> TrainGold:
    """The ids of all train rows, and the gold of those that have it."""
    lookup = class_places(prepared.classes)
    ids, gold = [], []
    for batch in prepared.columns("train", ["id", "gold"], ROWS_AT_ONCE):
        ids.append(batch["id"].cast(pa.large_string()))
        gold.append(codes_in(batch["gold"], lookup))
    every = pa.concat_arrays(ids) if ids else pa.array([], pa.large_string())
    codes = np.concatenate(gold) if gold else np.empty(0, dtype=np.int32)
    places = np.flatnonzero(codes != NO_LABEL).astype(np.int32)
    return TrainGold(TrainIds(every), places, codes[places])
