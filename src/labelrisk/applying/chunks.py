"""The texts of a file in chunks: so many that reading is fast, and so few that little is lost when a run ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import pyarrow as pa

from labelrisk.applying.inputs import Input
from labelrisk.applying.json_columns import is_json

ROWS = 4096  # of a chunk: reading ends at each, where cores wait for the last batch
LETTERS = 2**24  # of a chunk: texts may be long


def texts_of(batch: pa.RecordBatch, column: str) -> list[object]:
    """What the column of texts holds, None where it is missing; of JSON lines the values as they were."""
    import json

    field = batch.schema.field(column)
    values: list[object] = batch[column].to_pylist()
    return [None if one is None else json.loads(str(one)) for one in values] if is_json(field) else values


def chunks(source: Input, column: str) -> Iterator[list[object]]:
    """The values of one column, at most ROWS and about LETTERS letters at once; the same however they are read."""
    part: list[object] = []
    letters = 0
    for batch in source.batches([column]):
        for text in texts_of(batch, column):
            part.append(text)
            letters += len(text) if isinstance(text, str) else 0
            if len(part) == ROWS or letters >= LETTERS:
                yield part
                part, letters = [], 0
    if part:
        yield part


def digest(texts: Sequence[object]) -> str:
    """Of the values of a chunk: other ones have another."""
    found = hashlib.sha256()
    for text in texts:
        kind = type(text).__name__.encode()
        content = str(text).encode("utf-8", "surrogatepass")
        found.update(b"%s %d\n" % (kind, len(content)) + content)
    return found.hexdigest()
