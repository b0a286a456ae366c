"""Parquet of any number of rows, written and read in bounded memory: as pandas writes it, in groups of so many rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 65_536  # of a group

Examples = Mapping[str, pd.Series]


class RowGroupsWriter:
    """Rows are added some at a time; a group is written when it is full.  Use as a context manager.

    The bytes of a file hang on its rows alone, not on how many were added at a time; a file of one group is what
    DataFrame.to_parquet writes.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """schema: of schema_like."""
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        """Some rows more: arrays by name, in any order."""
        arrays = [_as(columns[field.name], field.type) for field in self._schema]
        table = pa.table(arrays, schema=self._schema)
        while self._rows + table.num_rows > ROWS:
            room = ROWS - self._rows
            self._hold(table.slice(0, room))
            table = table.slice(room)
            self._flush()
        self._hold(table)

    def _hold(self, table: pa.Table) -> None:
        if table.num_rows:
            self._waiting.append(table)
            self._rows += table.num_rows

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(pa.concat_tables(self._waiting).combine_chunks(), row_group_size=self._rows)
            self._waiting, self._rows = [], 0

    def __enter__(self) -> RowGroupsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._file.close()


def _as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return pa.nulls(len(array)) if pa.types.is_null(kind) else array.cast(kind)  # strings, of which none is there


def schema_like(columns: Examples) -> pa.Schema:
    """The schema that a frame with such columns is written with, and what pandas notes about them; a value each."""
    return pa.Schema.from_pandas(pd.DataFrame(columns), preserve_index=False)


def strings() -> pd.Series:
    """An example of a column of strings."""
    return pd.Series(["a"], dtype="str")


def names(are_there: bool) -> pd.Series:
    """An example of a column of names, some missing: all of them where none is there."""
    return pd.Series(["a" if are_there else None], dtype=object)
