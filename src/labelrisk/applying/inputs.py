"""Files of texts of any size as batches of rows: looked through once at the door, and then read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa

from labelrisk.applying.json_columns import JsonColumns
from labelrisk.applying.parquet_inputs import OPTION, ROWS, open_folder, open_parquet
from labelrisk.applying.places import PARQUET, parquet_files, place_of
from labelrisk.corpora.delimited import stream_fields
from labelrisk.corpora.formats import SEPARATORS, other_columns, refuse_other_format
from labelrisk.corpora.json_lines import stream_objects
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import named_file


class Input(Protocol):
    """Files: their columns, how many rows they have, and these in batches of at most ROWS."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def rows(self) -> int: ...

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in their order, with these columns (None: all)."""


class DelimitedInput(NamedTuple):
    """CSV and TSV: all columns are texts, an empty cell is missing."""

    path: Path
    schema: pa.Schema
    rows: int

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Raises LabelRiskError where stream_fields does."""
        names = self.schema.names if columns is None else list(columns)
        places = [self.schema.get_field_index(name) for name in names]
        schema = pa.schema([self.schema.field(place) for place in places])
        for _, rows in stream_fields(self.path, SEPARATORS[self.path.suffix.lower()]):
            if rows:
                cells = [pa.array([row[place] or None for _, row in rows], pa.string()) for place in places]
                yield pa.RecordBatch.from_arrays(cells, schema=schema)


class JsonInput(NamedTuple):
    """JSON lines: a column for each key; what is of several kinds, or nested, is JSON text."""

    path: Path
    columns: JsonColumns
    rows: int

    @property
    def schema(self) -> pa.Schema:
        """The types that all lines together have."""
        return self.columns.schema

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Raises LabelRiskError where stream_objects does."""
        part = []
        for _, content in stream_objects(self.path):
            part.append(content)
            if len(part) == ROWS:
                yield self.columns.batch(part, columns)
                part = []
        if part:
            yield self.columns.batch(part, columns)


def open_input(name: str) -> Input:
    """Look through a file, or all Parquet files of a folder or a pattern: what it holds, and whether it can be read.

    Of Parquet the columns are looked at, and each row when it is read.
    Raises LabelRiskError for a file that is absent, damaged, of another kind or without rows, and for a column that
    stands twice.
    """
    found = _opened(name)
    if not found.rows:
        raise LabelRiskError(f"{name} has no rows; put texts in it or correct {OPTION}")
    names = found.schema.names
    if twice := next((column for place, column in enumerate(names) if column in names[:place]), None):
        raise LabelRiskError(f"{name} has {names.count(twice)} columns '{shown(twice)}'; rename the others in the file")
    return found


def check_column(name: str, source: Input, column: str, option: str) -> None:
    """Raise LabelRiskError for a column that is not there."""
    if column not in source.schema.names:
        other = other_columns(Path(name), column, source.schema.names)
        raise LabelRiskError(f"{name} has no column '{shown(column)}', which {option} names; {other}")


def check_texts(name: str, source: Input, column: str) -> None:
    """Raise LabelRiskError for a column that can't hold texts.  JSON lines may: what is none of them has no label."""
    check_column(name, source, column, "--text")
    kind = source.schema.field(column).type
    of = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    if not isinstance(source, JsonInput) and not any(is_text(of) for is_text in texts):
        raise LabelRiskError(f"{name}: the column '{shown(column)}' holds {kind}, no texts; name another by --text")


def _opened(name: str) -> Input:
    if (places := parquet_files(name)) is not None:
        return open_folder(places)
    place = place_of(name)
    if place.filesystem is not None:
        if not name.lower().endswith(PARQUET):
            raise LabelRiskError(f"{shown(name, 300)} is no Parquet, which alone is read from S3; copy it here first")
        return open_parquet(place)
    named_file(place.local, f"correct {OPTION}")
    refuse_other_format(place.local, OPTION)
    suffix = place.local.suffix.lower()
    if suffix == PARQUET:
        return open_parquet(place)
    return _json(place.local) if suffix == ".jsonl" else _delimited(place.local)


def _delimited(path: Path) -> Input:
    header: list[str] = []
    number = 0
    for header, rows in stream_fields(path, SEPARATORS[path.suffix.lower()]):  # noqa: B007
        number += len(rows)
    return DelimitedInput(path, pa.schema([(name, pa.string()) for name in header]), number)


def _json(path: Path) -> Input:
    columns, number = JsonColumns.none(), 0
    for line, content in stream_objects(path):
        columns.learn(content, f"{path}, line {line}")
        number += 1
    return JsonInput(path, columns, number)
