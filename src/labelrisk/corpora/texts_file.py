"""The texts of a corpus while it is prepared: on disk, in their order, mapped into memory where they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SCHEMA = pa.schema({"text": pa.large_string()})


def in_pieces(sizes: NDArray[np.integer], rows: int, most: int) -> Iterator[slice]:
    """Cut rows of such sizes: so many rows at most, and no row more once they have the size `most` together."""
    full = np.flatnonzero(np.diff(np.cumsum(sizes, dtype=np.int64) // most)) + 1
    starts = np.union1d(np.arange(0, len(sizes), rows), full).tolist()
    yield from map(slice, starts, [*starts[1:], len(sizes)])


class TextsFile:
    """Texts are added some at a time, and can be read once the file is closed; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = pa.ipc.new_file(path, SCHEMA)
        self._starts = [0]
        self._sizes: list[NDArray[np.uint32]] = []

    def add(self, texts: Sequence[str]) -> None:
        """Some texts more."""
        array = pa.array(texts, pa.large_string())
        self._writer.write_batch(pa.record_batch([array], schema=SCHEMA))
        self._starts.append(self._starts[-1] + len(array))
        self._sizes.append(pc.binary_length(array).to_numpy().astype(np.uint32))

    def parts(self, rows: NDArray[np.int64]) -> Iterator[tuple[slice, pa.Array]]:
        """The texts of these rows, ascending, some at a time, and which of `rows` they are."""
        with pa.OSFile(str(self._path)) as source:  # not mapped: what was read need not stay in memory
            reader = pa.ipc.open_file(source)
            ends = np.searchsorted(rows, self._starts)
            for number, (start, first, last) in enumerate(zip(self._starts, ends, ends[1:], strict=False)):
                if first < last:
                    texts = reader.get_batch(number).column(0)
                    yield slice(int(first), int(last)), texts.take(pa.array(rows[first:last] - start))

    def sizes(self) -> NDArray[np.uint32]:
        """Bytes of each text: (N,)."""
        self._sizes = [np.concatenate(self._sizes)]
        return self._sizes[0]

    def at(self, rows: NDArray[np.int64]) -> list[str]:
        """The texts of these rows, in any order."""
        if self._mapped is None:
            self._mapped = pa.ipc.open_file(pa.memory_map(str(self._path)))
        numbers = np.searchsorted(self._starts, rows, side="right") - 1
        found: list[str] = [""] * len(rows)
        order = np.argsort(rows, kind="stable")
        bounds = np.flatnonzero(np.diff(numbers[order])) + 1
        for some in np.split(order, bounds):
            if len(some):
                number = int(numbers[some[0]])
                texts = self._mapped.get_batch(number).column(0).take(pa.array(rows[some] - self._starts[number]))
                for place, text in zip(some, texts.to_pylist(), strict=True):
                    found[place] = text
        return found

    _mapped: pa.ipc.RecordBatchFileReader | None = None

    def close(self) -> None:
        """All texts are there."""
        self._writer.close()

    def __enter__(self) -> TextsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mapped = None
        self._writer.close()
        self._path.unlink(missing_ok=True)
