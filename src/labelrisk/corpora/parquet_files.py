"""Parquet, read whole or not at all: texts as texts, everything else with all its digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.errors import LabelRiskError, shown
from labelrisk.parquet_parts import in_parts

ROWS_OF_PART = 16_000
BUFFER = 2**20


class Columns(NamedTuple):
    """The names of all columns, and those that were asked for: texts as an Arrow array, others as Python's values."""

    names: list[str]
    columns: dict[str, Any]
    rows: int


def read_columns(path: Path, wanted: Sequence[str], most: int | None = None) -> Columns:
    """Read the columns that the file has once; of at most so many rows.

    Raises LabelRiskError for a file that is damaged, encrypted, or no Parquet.
    """
    with _readable(path):
        file = in_parts(path)
        names = file.schema_arrow.names
        once = [name for name in wanted if names.count(name) == 1]
        table = file.read(columns=once) if most is None else _head(file, once, most)
        columns = _columns(table)
    return Columns(names, columns, file.metadata.num_rows if most is None else min(file.metadata.num_rows, most))


def column_parts(path: Path, wanted: Sequence[str], most: int | None = None) -> Iterator[Columns]:
    """What read_columns gives, some ten thousand rows at a time, at least one part; raises as it does."""
    with _readable(path):
        # of a group of rows, which may be all there are, a piece is in memory at a time
        file = in_parts(path, buffer_size=BUFFER)
        names, left = file.schema_arrow.names, file.metadata.num_rows if most is None else most
        once = [name for name in wanted if names.count(name) == 1]
        batches = file.iter_batches(ROWS_OF_PART, columns=once)
    while True:
        with _readable(path):
            batch = next(batches, None)
            if batch is None:
                break
            part = pa.Table.from_batches([batch]).slice(0, left)
            columns = _columns(part)
        left -= part.num_rows
        yield Columns(names, columns, part.num_rows)
        if most is not None and left <= 0:
            return
    if not file.metadata.num_rows:
        yield Columns(names, {name: [] for name in once}, 0)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, RuntimeError, MemoryError, OSError) as error:  # what pyarrow's errors derive from
        if isinstance(error, OSError) and error.errno is not None:  # the system's word, not pyarrow's
            raise
        reason = shown(" ".join(str(error).split()).rstrip(".")) if path.stat().st_size else "the file is empty"
        raise LabelRiskError(f"{path} can't be read as parquet ({reason}); write the file again") from None


def _columns(table: pa.Table) -> dict[str, Any]:
    table.validate(full=True)  # letters that are none
    return {name: _plain(column) for name, column in zip(table.column_names, table.columns, strict=True)}


def _head(file: pq.ParquetFile, names: list[str], most: int) -> pa.Table:
    groups, rows = [], 0
    for group in range(file.num_row_groups):
        if rows < most:
            groups.append(group)
            rows += file.metadata.row_group(group).num_rows
    return file.read_row_groups(groups, columns=names).slice(0, most)


def _plain(column: pa.ChunkedArray) -> Any:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(kind).cast(pa.string())
    return column.to_pylist()
