"""Chunks of rows with the labels that follow from stored answers; of very many rows on all cores."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from labelrisk.annotators.chat.labeller import ChatLabeller
from labelrisk.annotators.chat.stored_labels import Labelled, StoredLabels, add
from labelrisk.cache.processes import in_order
from labelrisk.codebook import Codebook
from labelrisk.corpora.prepared import Prepared
from labelrisk.labels.row_chunks import Chunk
from labelrisk.settings.chat import ChatSettings

MANY = 65536  # stored rows after which it pays to start processes

_here: StoredLabels | None = None  # of a process


def with_stored_labels(
    labeller: ChatLabeller, prepared: Prepared, cache: Path, chunks: Iterator[Chunk]
) -> Generator[Chunk]:
    """The chunks in their order, in which all is known that follows from stored answers alone."""
    stored = 0
    with closing(StoredLabels(labeller, cache)) as labels:
        for chunk in chunks:
            labelled = labels.of(chunk)
            stored += len(labelled[0])
            add(labelled, chunk)
            yield chunk
            if stored >= MANY and labeller.first_answers.has_label:
                worker = (labeller.name, labeller.annotator, labeller.codebook, prepared, cache)
                for next_chunk, found in in_order(_of, chunks, labels.of, _start, worker):
                    add(found, next_chunk)
                    yield next_chunk


def _start(name: str, annotator: ChatSettings, codebook: Codebook, prepared: Prepared, cache: Path) -> None:
    global _here
    labeller = ChatLabeller(name, annotator, codebook, prepared)
    labeller.first_answers.has_label = True
    _here = StoredLabels(labeller, cache)


def _of(chunk: Chunk) -> Labelled:
    assert _here is not None
    return _here.of(chunk)
