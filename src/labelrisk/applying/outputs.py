"""Rows written in any format, a batch at a time."""

from __future__ import annotations

import base64
import csv
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.applying.json_columns import is_json
from labelrisk.classifiers.labelling import DIGITS
from labelrisk.corpora.formats import FORMATS, SEPARATORS
from labelrisk.corpora.spreadsheets import safe_text
from labelrisk.errors import LabelRiskError, shown

GROUP = 2**15  # rows of a row group of Parquet
BYTES = 2**26  # or fewer, where they are this large together
Write = Callable[[pa.RecordBatch], None]


def check_format(path: Path) -> None:
    """Raise LabelRiskError for an output of another kind."""
    if path.suffix.lower() not in FORMATS:
        raise LabelRiskError(f"--out {shown(path, 300)} is no table; end its name in one of {', '.join(FORMATS)}")


@contextmanager
def opened(path: Path, schema: pa.Schema, suffix: str) -> Iterator[Write]:
    """A function that writes batches of `schema` to a new file; suffix: of its format."""
    with ExitStack() as files:
        if suffix == ".parquet":
            yield files.enter_context(_parquet(path, schema))
            return
        coding = "utf-8-sig" if suffix in SEPARATORS else "utf-8"  # the mark by which spreadsheet programs know it
        file = files.enter_context(path.open("w", encoding=coding, newline="\n"))
        yield _delimited(file, schema, SEPARATORS[suffix]) if suffix in SEPARATORS else _json_lines(file)


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[Write]:
    held: list[pa.RecordBatch] = []

    with pq.ParquetWriter(path, schema) as file:

        def flush() -> None:
            if held:
                file.write_table(pa.Table.from_batches(held, schema), row_group_size=GROUP)
                held.clear()

        def write(batch: pa.RecordBatch) -> None:
            held.append(batch)
            if sum(len(one) for one in held) >= GROUP or sum(one.nbytes for one in held) >= BYTES:
                flush()

        yield write
        flush()


def _delimited(file: IO[str], schema: pa.Schema, separator: str) -> Write:
    """Cells that no spreadsheet program takes for a formula; a list is JSON."""
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    writer.writerow([safe_text(name) for name in schema.names])

    def write(batch: pa.RecordBatch) -> None:
        columns = [_cells(column) for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))

    return write


def _cells(column: pa.Array) -> list[str]:
    return [_cell(value) for value in _values(column)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return safe_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_plain))


def _json_lines(file: IO[str]) -> Write:
    def write(batch: pa.RecordBatch) -> None:
        for row in json_rows(batch):
            file.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")

    return write


def json_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows as JSON has them; texts that are JSON become what they say."""
    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        values = _values(column)
        columns.append([None if one is None else json.loads(one) for one in values] if is_json(field) else values)
    for row in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, map(_finite, row), strict=True))


def _values(column: pa.Array) -> list[Any]:
    """Python's values; of float32 as few digits as tell it."""
    values: list[Any] = column.to_pylist()
    if pa.types.is_float32(column.type):
        return [None if one is None else float(f"{one:.{DIGITS}g}") for one in values]
    return values


def _finite(value: Any) -> Any:
    """JSON has no nan and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: object) -> str:
    """What JSON has no form for: dates, decimals, bytes."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
