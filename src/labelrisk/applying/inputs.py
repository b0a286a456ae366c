"""Files of texts of any size as batches of rows: looked through once at the door, and then read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.applying.json_columns import JsonColumns
from labelrisk.corpora.delimited import stream_fields
from labelrisk.corpora.formats import SEPARATORS, other_columns, refuse_other_format
from labelrisk.corpora.json_lines import stream_objects
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import named_file

ROWS = 1024  # of a batch
PAGES = 2**20  # bytes that are read of a column at once
OPTION = "--in"


class Input(Protocol):
    """A file: its columns, how many rows it has, and these in batches of at most ROWS."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def rows(self) -> int: ...

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in their order, with these columns (None: all)."""


class ParquetInput(NamedTuple):
    """Parquet keeps its types, nested ones too."""

    path: Path
    schema: pa.Schema
    rows: int

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Raises LabelRiskError for a damaged file."""
        with _readable(self.path):
            file = pq.ParquetFile(self.path, pre_buffer=False, buffer_size=PAGES)
            for batch in file.iter_batches(ROWS, columns=columns):
                batch.validate(full=True)
                yield batch


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


def open_input(path: Path) -> Input:
    """Look through a file: what it holds, and whether it can be read to its end.

    Raises LabelRiskError for a file that is absent, damaged, of another kind or without rows, and for a column that
    stands twice.
    """
    named_file(path, f"correct {OPTION}")
    refuse_other_format(path, OPTION)
    kind = {".parquet": _parquet, ".jsonl": _json}.get(path.suffix.lower(), _delimited)
    found = kind(path)
    if not found.rows:
        raise LabelRiskError(f"{path} has no rows; put texts in it or correct {OPTION}")
    names = found.schema.names
    if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
        raise LabelRiskError(f"{path} has {names.count(twice)} columns '{shown(twice)}'; rename the others in the file")
    return found


def check_column(path: Path, source: Input, column: str, option: str) -> None:
    """Raise LabelRiskError for a column that is not there."""
    if column not in source.schema.names:
        other = other_columns(path, column, source.schema.names)
        raise LabelRiskError(f"{path} has no column '{shown(column)}', which {option} names; {other}")


def check_texts(path: Path, source: Input, column: str) -> None:
    """Raise LabelRiskError for a column that can't hold texts.  JSON lines may: what is none of them has no label."""
    check_column(path, source, column, "--text")
    kind = source.schema.field(column).type
    of = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    if not isinstance(source, JsonInput) and not any(is_text(of) for is_text in texts):
        raise LabelRiskError(f"{path}: the column '{shown(column)}' holds {kind}, no texts; name another by --text")


def _parquet(path: Path) -> Input:
    with _readable(path):
        file = pq.ParquetFile(path)
        return ParquetInput(path, file.schema_arrow.remove_metadata(), file.metadata.num_rows)


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


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, RuntimeError, MemoryError, OSError) as error:  # what pyarrow's errors derive from
        if isinstance(error, OSError) and error.errno is not None:  # the system's word, not pyarrow's
            raise
        reason = shown(" ".join(str(error).split()).rstrip(".")) if path.stat().st_size else "the file is empty"
        raise LabelRiskError(f"{path} can't be read as parquet ({reason}); write the file again") from None
