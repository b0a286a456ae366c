"""Prepared rows in chunks that are encoded one by one, here or on other machines, and come back in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import pyarrow as pa

from labelrisk.corpora.prepared import SPLITS, Prepared
from labelrisk.encoders.memory_and_cores import share_cores
from labelrisk.engines.contract import Engine, Needs
from labelrisk.settings.embed import EmbedSettings
from labelrisk.vectors.encoder import Encoder, Vectors
from labelrisk.vectors.vectors_file import ROWS, Encoded

IN_THE_AIR = 256  # chunks, and so many vectors at most that wait for those before them
AHEAD = 16  # chunks that are read at once: groups of rows in the files are larger than a chunk


class Texts(NamedTuple):
    """The texts of a chunk, and which rows of which split they are."""

    split: str
    first: int
    texts: list[str]

    def __str__(self) -> str:
        return f"vectors of {self.split} rows {self.first + 1:,} and on"


class Chunks(Sequence[Texts]):
    """Chunks of some rows of a split, read when they are asked for, one after the other as a rule."""

    def __init__(self, rows: Prepared) -> None:
        self._rows = rows
        self.places = [(split, at) for split in SPLITS for at in range(0, rows.count(split), ROWS)]
        self._read: tuple[str, int, pa.Table] = ("", 0, pa.table({}))

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place: int) -> Texts:  # type: ignore[override]
        split, first = self.places[place]
        return Texts(split, first, self.batch(place)["text"].to_pylist())

    def batch(self, place: int) -> pa.Table:
        """The ids and texts of a chunk."""
        split, first = self.places[place]
        of, start, rows = self._read
        if of != split or not start <= first < start + len(rows):
            start, rows = first, self._rows.some(split, first, AHEAD * ROWS)
            self._read = (split, start, rows)
        return rows.slice(first - start, ROWS)


class Some(Sequence[Texts]):
    """The chunks from one on."""

    def __init__(self, chunks: Chunks, first: int) -> None:
        self._chunks, self._first = chunks, first

    def __len__(self) -> int:
        return min(IN_THE_AIR, len(self._chunks) - self._first)

    def __getitem__(self, place: int) -> Texts:  # type: ignore[override]
        return self._chunks[self._first + place]


def encoded_by(engine: Engine, rows: Prepared, settings: EmbedSettings, gpus: float) -> Iterator[Encoded]:
    """The vectors of all rows in their order, as an engine's workers compute them."""
    chunks, ids = Chunks(rows), Chunks(rows)
    encode = partial(encoded, settings)
    for first in range(0, len(chunks), IN_THE_AIR):
        found: dict[int, Vectors] = {}
        ready = first
        for place, vectors in engine.results(encode, Some(chunks, first), Needs(cores=1, gpus=gpus)):
            found[first + place] = vectors
            while ready in found:
                yield chunks.places[ready][0], ids.batch(ready)["id"], found.pop(ready)
                ready += 1


def encoded(settings: EmbedSettings, chunk: Texts) -> Vectors:
    """Vectors of the texts of a chunk, (N, D)."""
    return _encoder(settings).encode(chunk.texts)


@lru_cache(1)  # a worker encodes many chunks
def _encoder(settings: EmbedSettings) -> Encoder:
    share_cores(1)
    return Encoder(settings, threads=1)
