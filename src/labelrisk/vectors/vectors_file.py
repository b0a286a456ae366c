"""The folder of sentence vectors: a file `id, vector` for each split, written and read in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelrisk.corpora.prepared import SPLITS, Rows
from labelrisk.errors import LabelRiskError
from labelrisk.files import undamaged, written_aside
from labelrisk.parquet_parts import in_parts

Vectors = NDArray[np.float32]
Encoded = tuple[str, Any, Vectors]  # a split, ids of some of its rows, and their vectors

ROWS = 2048  # of a row group: so many texts and their vectors are held at once


def write_vectors(
    rows: Rows,
    encode: Callable[[Sequence[str]], Vectors],
    dimensions: int,
    folder: Path,
    done: Callable[[int], object] = lambda rows: None,
) -> None:
    """Encode all rows and write the folder, whole or not at all.

    encode: texts as vectors (N, dimensions).  done: called with how many rows are finished.
    """

    def encoded() -> Iterator[Encoded]:
        for split, batch in rows.batches(ROWS):
            yield split, batch["id"], encode(batch["text"].to_pylist())

    write_encoded(encoded(), dimensions, folder, done)


def write_encoded(
    parts: Iterable[Encoded], dimensions: int, folder: Path, done: Callable[[int], object] = lambda rows: None
) -> None:
    """Write the folder, whole or not at all; parts: of all rows in their order."""
    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), dimensions))])
    with written_aside(folder) as temporary, ExitStack() as files:
        temporary.mkdir()
        writers = {
            # numbers that look random are neither compressed nor looked up
            split: files.enter_context(
                pq.ParquetWriter(_file(temporary, split), schema, compression="none", use_dictionary=False)
            )
            for split in SPLITS
        }
        for split, ids, vectors in parts:
            numbers = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), dimensions)
            writers[split].write_table(pa.table([ids.cast(pa.string()), numbers], schema=schema))
            done(len(vectors))


def stream_vectors(folder: Path, split: str, rows: int = ROWS) -> Iterator[tuple[list[str], Vectors]]:
    """The ids of one split in their order with their vectors (N, D), at most so many rows at a time.

    Raises LabelRiskError for a damaged file, and when `embed` has not written it.
    """
    for ids, vectors in _batches(folder, split, rows):
        yield ids.to_pylist(), vectors


def dimensions_of(folder: Path, split: str) -> int:
    """Numbers of a vector; raises as `stream_vectors` does."""
    path = _written(folder, split)
    with undamaged(path):
        size: int = pq.read_schema(path).field("vector").type.list_size
    return size


def read_vectors(folder: Path, split: str, ids: Iterable[str]) -> Vectors:
    """The vectors of rows of one split, (N, D), in the order of `ids`.

    Raises LabelRiskError where the folder lacks one, and as `stream_vectors` does.
    """
    asked = pa.array(ids, pa.large_string())
    found = np.empty((len(asked), dimensions_of(folder, split)), dtype=np.float32)
    filled = 0
    for some, vectors in _batches(folder, split, ROWS):
        if some.equals(asked.slice(filled, len(some))):  # as all rows come, mostly
            found[filled : filled + len(some)] = vectors
            filled += len(some)
            continue
        places = pc.index_in(some, value_set=asked)
        there = places.is_valid().to_numpy(zero_copy_only=False)
        found[places.drop_null().to_numpy()] = vectors[there]
        filled += int(there.sum())
    if filled < len(asked):
        raise LabelRiskError(
            f"{_file(folder, split)} has other {split} rows than were prepared ({len(asked) - filled:,} of "
            f"{len(asked):,} are not there); run `dvc repro embed`"
        )
    return found


def _written(folder: Path, split: str) -> Path:
    path = _file(folder, split)
    if not path.is_file():
        raise LabelRiskError(f"{folder} holds no vectors of the {split} rows yet; run `dvc repro embed`")
    return path


def _batches(folder: Path, split: str, rows: int) -> Iterator[tuple[pa.Array, Vectors]]:
    path = _written(folder, split)
    with undamaged(path):
        for batch in in_parts(path).iter_batches(rows, columns=["id", "vector"]):
            batch.validate(full=True)
            ids, vectors = batch["id"], batch["vector"]
            yield (
                ids.cast(pa.large_string()),
                vectors.flatten().to_numpy().reshape(len(ids), vectors.type.list_size),
            )


def _file(folder: Path, split: str) -> Path:
    return folder / f"{split}.parquet"
