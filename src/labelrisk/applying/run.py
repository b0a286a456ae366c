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
from labelrisk.applying.parts import Parts
from labelrisk.applying.rows_bar import RowsBar
from labelrisk.applying.summary import Summary
from labelrisk.classifiers.labelling import Said
from labelrisk.errors import LabelRiskError

Say = Callable[[list[object]], Said]


class Source(NamedTuple):
    """A file of texts: where they are, and columns that tell of slices and of gold."""

    path: Path
    rows: Input
    text: str
    by: str | None
    gold: Gold | None


def label_parts(source: Source, parts: Parts, out: Path, say: Say, progress: RowsBar) -> int:
    """Label the chunks that have no part yet; returns how many chunks there are.

    Raises LabelRiskError where a part is about other texts than the chunk.
    """
    first, number = 1, 0
    for number, texts in enumerate(chunks(source.rows, source.text), 1):
        of_texts = digest(texts)
        known = parts.digest(number - 1)
        last = first + len(texts) - 1
        if known is None:
            parts.write(number - 1, say(texts), of_texts)
            progress.done(len(texts))
        elif known == of_texts:
            progress.known(len(texts))
        else:
            raise LabelRiskError(
                f"{source.path}: the texts of rows {first:,} to {last:,} are others than when the run towards {out} "
                "was begun; give --anew to begin from the first row, or another --out"
            )
        first = last + 1
    return number


def put_together(
    source: Source, parts: Iterator[Said], columns: Columns, summary: Summary, path: Path, suffix: str
) -> None:
    """Write all rows with their labels to a new file, and count them."""
    schema = columns.schema(source.rows.schema, str(source.path))
    with outputs.opened(path, schema, suffix) as write:
        for batch, said in _side_by_side(source.rows, parts):
            slices = batch[source.by].to_pylist() if source.by is not None else None
            gold, drawn = source.gold.of(batch) if source.gold else (None, None)
            summary.add(said, slices, gold, drawn)
            write(pa.RecordBatch.from_arrays([*batch.columns, *columns.arrays(said)], schema=schema))


def _side_by_side(rows: Input, parts: Iterator[Said]) -> Iterator[tuple[pa.RecordBatch, Said]]:
    """Batches of rows, and what is said of the same rows, cut where either ends."""
    said: Said | None = None
    at = 0
    for batch in rows.batches():
        start = 0
        while start < len(batch):
            if said is None or at == len(said.reasons):
                said, at = next(parts), 0
            size = min(len(batch) - start, len(said.reasons) - at)
            yield batch.slice(start, size), _part(said, slice(at, at + size))
            start, at = start + size, at + size


def _part(said: Said, rows: slice) -> Said:
    return Said(said.probabilities[rows], said.full[rows], said.distances[rows], said.reasons[rows])
