"""A file is labelled: chunk by chunk into parts, which are put together beside the rows of the file at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from labelrisk.applying import outputs
from labelrisk.applying.chunks import chunks, digest
from labelrisk.applying.columns import Columns
from labelrisk.applying.gold import Gold
from labelrisk.applying.inputs import Input
from labelrisk.applying.parquet_inputs import ParquetFolder
from labelrisk.applying.parts import Parts
from labelrisk.applying.places import PARQUET
from labelrisk.applying.rows_bar import RowsBar
from labelrisk.applying.summary import Summary
from labelrisk.classifiers.labelling import Said
from labelrisk.errors import LabelRiskError

Say = Callable[[list[object]], Said]


class Source(NamedTuple):
    """A file of texts, or several: what it is called, and columns that tell of slices and of gold."""

    name: str
    rows: Input
    text: str
    by: str | None
    gold: Gold | None


class Missing(NamedTuple):
    """A chunk that has no part yet: its number, its first row from 0 on, its texts and their digest."""

    number: int
    first: int
    texts: list[object]
    digest: str


def label_parts(source: Source, parts: Parts, out: str, say: Say, progress: RowsBar) -> None:
    """Label the chunks that have no part yet."""
    for chunk in missing_chunks(source, parts, out, progress):
        parts.write(chunk.number, say(chunk.texts), chunk.digest)
        progress.done(len(chunk.texts))


def missing_chunks(source: Source, parts: Parts, out: str, progress: RowsBar) -> Iterator[Missing]:
    """The chunks that have no part yet; at its end the parts know how many chunks there are.

    Raises LabelRiskError where a part is about other texts than the chunk.
    """
    first = 0
    for number, texts in enumerate(chunks(source.rows, source.text)):
        of_texts = digest(texts)
        known = parts.digest(number)
        if known is None:
            yield Missing(number, first, texts, of_texts)
        elif known == of_texts:
            progress.known(len(texts))
        else:
            raise LabelRiskError(
                f"{source.name}: the texts of rows {first + 1:,} to {first + len(texts):,} are others than when the "
                f"run towards {out} was begun; give --anew to begin from the first row, or another --out"
            )
        first += len(texts)
        parts.count = number + 1


def put_together(
    source: Source, parts: Iterator[Said], columns: Columns, summary: Summary, path: Path, suffix: str
) -> None:
    """Write all rows with their labels to a new file, or to a folder with a file for each that was read; count them.

    suffix: of the format; none: a folder.
    """
    schema = columns.schema(source.rows.schema, source.name)
    sides = _Sides(parts)
    if suffix:
        _write(source, source.rows, sides, columns, schema, summary, path, suffix)
        return
    assert isinstance(source.rows, ParquetFolder)
    path.mkdir()
    for file in source.rows.files:
        _write(source, file, sides, columns, schema, summary, path / file.place.name, PARQUET)


def _write(
    source: Source, rows: Input, sides: _Sides, columns: Columns, schema: pa.Schema, summary: Summary, path: Path,
    suffix: str,
) -> None:  # fmt: skip
    with outputs.opened(path, schema, suffix) as write:
        for batch in rows.batches():
            for part, said in sides.of(batch):
                slices = part[source.by].to_pylist() if source.by is not None else None
                gold, drawn = source.gold.of(part) if source.gold else (None, None)
                summary.add(said, slices, gold, drawn)
                write(pa.RecordBatch.from_arrays([*part.columns, *columns.arrays(said)], schema=schema))


class _Sides:
    """What is said of rows, beside batches of the same rows, cut where either ends."""

    def __init__(self, parts: Iterator[Said]) -> None:
        self._parts = parts
        self._said: Said | None = None
        self._at = 0

    def of(self, batch: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, Said]]:
        """The next batch of rows."""
        start = 0
        while start < len(batch):
            if self._said is None or self._at == len(self._said.reasons):
                self._said, self._at = next(self._parts), 0
            size = min(len(batch) - start, len(self._said.reasons) - self._at)
            yield batch.slice(start, size), _part(self._said, slice(self._at, self._at + size))
            start, self._at = start + size, self._at + size


def _part(said: Said, rows: slice) -> Said:
    return Said(said.probabilities[rows], said.full[rows], said.distances[rows], said.reasons[rows])
