"""Labels files of earlier runs and other revisions, by row: what stands there need not be asked or read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.files import undamaged
from labelrisk.labels.labels_file import SCHEMA
from labelrisk.parquet_parts import in_parts

GROUPS_IN_MEMORY = 4
Hashes = NDArray[np.uint64]


class LabelsIndex:
    """One labels file with a 64-bit hash for each of its rows, in their order; reads only the row groups it needs."""

    def __init__(self, path: Path, hashes: Hashes) -> None:
        self._path = path
        self._file = in_parts(path)
        if self._file.metadata.num_rows != len(hashes) or hashes.dtype != np.uint64:
            raise ValueError(f"{path} has other rows than there are hashes")
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]
        sizes = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._groups: OrderedDict[int, pa.Table] = OrderedDict()

    def find(self, wanted: Hashes) -> NDArray[np.int64]:
        """Rows of the file for each hash, -1 where it has none: shape (N,)."""
        if not len(self._sorted):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return np.where(self._sorted[places] == wanted, self._order[places], -1)

    def rows(self, places: NDArray[np.int64]) -> pa.Table:
        """Rows of the file in the order of `places`."""
        of_group = np.searchsorted(self._starts, places, side="right") - 1
        order = np.argsort(of_group, kind="stable")
        chunks = [
            self._group(int(group)).take(pa.array(places[order][of_group[order] == group] - self._starts[group]))
            for group in np.unique(of_group)
        ]
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_tables(chunks).take(pa.array(back)) if chunks else SCHEMA.empty_table()

    def _group(self, number: int) -> pa.Table:
        if number not in self._groups:
            with undamaged(self._path):
                table = self._file.read_row_group(number)
                columns = [  # files of older versions have fewer
                    table[field.name].cast(field.type)
                    if field.name in table.column_names
                    else pa.nulls(len(table), field.type)
                    for field in SCHEMA
                ]
                self._groups[number] = pa.table(columns, schema=SCHEMA)
            while len(self._groups) > GROUPS_IN_MEMORY:
                self._groups.popitem(last=False)
        return self._groups[number]


def text_hashes(texts: Any) -> Hashes:
    """A 64-bit hash of each text."""
    return np.asarray(pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False), dtype=np.uint64)


def call_hashes(calls: Sequence[str | None]) -> Hashes:
    """The first 64 bits of each call key; 0 where there is none."""
    return np.array([int(call[:16], 16) if call else 0 for call in calls], dtype=np.uint64)


def index_by_call(path: Path) -> LabelsIndex:
    """A labels file by the keys of its calls."""
    hashes = [np.empty(0, dtype=np.uint64)]
    with undamaged(path):
        for batch in in_parts(path).iter_batches(columns=["call"]):
            hashes.append(call_hashes(batch["call"].to_pylist()))
        return LabelsIndex(path, np.concatenate(hashes))
