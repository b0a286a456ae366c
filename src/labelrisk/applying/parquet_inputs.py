"""Parquet on this machine or on S3, one file or the files of a folder, as batches of rows in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.applying.places import Place, worded
from labelrisk.errors import LabelRiskError, shown
from labelrisk.parquet_parts import in_parts

ROWS = 1024  # of a batch
PAGES = 2**20  # bytes that are read of a column at once
OPTION = "--in"
Stamp = tuple[int, int] | None


class ParquetInput(NamedTuple):
    """One file, which keeps its types, nested ones too.  stamp: of when it was looked through."""

    place: Place
    schema: pa.Schema
    rows: int
    stamp: Stamp

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Raises LabelRiskError for a damaged file, and one that others have written since."""
        with readable(self.place), _opened(self.place) as file:
            yield from _batches(file, columns)
        self.check()

    def check(self) -> None:
        """Raise LabelRiskError where others have written it since it was looked through."""
        if self.place.stamp != self.stamp:
            raise LabelRiskError(f"{self.place} was written by others meanwhile; run the same command again")

    def texts_from(self, first: int, rows: int, column: str) -> Iterator[pa.RecordBatch]:
        """Rows first to first + rows - 1, counted from 0; other row groups are not read."""
        with readable(self.place), _opened(self.place) as file:
            at, groups, skipped = 0, [], 0
            for group in range(file.metadata.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                if at + size <= first:
                    skipped += size
                elif at < first + rows:
                    groups.append(group)
                at += size
            left, start = rows, first - skipped
            for batch in _batches(file, [column], groups):
                part = batch.slice(start, left)
                start = max(0, start - len(batch))
                left -= len(part)
                if len(part):
                    yield part
                if not left:
                    return


class ParquetFolder(NamedTuple):
    """Several files one after the other, which have the same columns."""

    files: tuple[ParquetInput, ...]

    @property
    def schema(self) -> pa.Schema:
        """Of each."""
        return self.files[0].schema

    @property
    def rows(self) -> int:
        """Of all."""
        return sum(file.rows for file in self.files)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Raises LabelRiskError where one of the files can't be read."""
        for file in self.files:
            yield from file.batches(columns)

    def texts_from(self, first: int, rows: int, column: str) -> Iterator[pa.RecordBatch]:
        """Rows first to first + rows - 1 of all files, counted from 0."""
        at = 0
        for file in self.files:
            start, end = max(first - at, 0), min(first + rows - at, file.rows)
            if start < end:
                yield from file.texts_from(start, end - start, column)
            at += file.rows


def open_parquet(place: Place) -> ParquetInput:
    """Look at a file's columns.  Raises LabelRiskError where there is none, and for a damaged one."""
    stamp = place.stamp
    if stamp is None:
        raise LabelRiskError(f"{shown(place, 300)} is not there; correct {OPTION}")
    with readable(place), _opened(place) as file:
        return ParquetInput(place, file.schema_arrow.remove_metadata(), file.metadata.num_rows, stamp)


def open_folder(places: Sequence[Place]) -> ParquetFolder:
    """Look at the columns of all files.  Raises LabelRiskError where one has others than the first."""
    files = [open_parquet(place) for place in places]
    for file in files:
        if file.schema != files[0].schema:
            raise LabelRiskError(
                f"{file.place} has other columns, or of other types, than {files[0].place}; write them alike, or label "
                "each by itself"
            )
    return ParquetFolder(tuple(file for file in files))


def _batches(
    file: pq.ParquetFile, columns: Sequence[str] | None, groups: Sequence[int] | None = None
) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(ROWS, columns=columns, row_groups=groups):
        batch.validate(full=True)
        yield batch


@contextmanager
def _opened(place: Place) -> Iterator[pq.ParquetFile]:
    if place.filesystem is None:
        with in_parts(place.path, buffer_size=PAGES) as file:
            yield file
        return
    with place.filesystem.open_input_file(place.path) as source, in_parts(source, buffer_size=PAGES) as file:
        yield file


@contextmanager
def readable(place: Place) -> Iterator[None]:
    """Word what pyarrow says of a file that is none of Parquet, and what S3 says of one that can't be had."""
    try:
        with worded(place):
            yield
    except FileNotFoundError:
        raise LabelRiskError(f"{shown(place, 300)} is not there; correct {OPTION}") from None
    except LabelRiskError:
        raise
    except (ValueError, LookupError, RuntimeError, MemoryError, OSError) as error:  # what pyarrow's errors derive from
        if isinstance(error, OSError) and error.errno is not None:  # the system's word, not pyarrow's
            raise
        is_empty = place.stamp is not None and place.stamp[0] == 0
        reason = "the file is empty" if is_empty else shown(" ".join(str(error).split()).rstrip("."))
        raise LabelRiskError(f"{place} can't be read as parquet ({reason}); write the file again") from None
