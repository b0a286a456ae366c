"""Rows whose answers are all stored: labelled many at a time, without waiting for anything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pyarrow as pa

from labelrisk.annotators.chat.labeller import ChatLabeller
from labelrisk.cache.calls import Stored
from labelrisk.cache.lookup import CallLookup
from labelrisk.labels.labels_file import LabelledRow, labels_table
from labelrisk.labels.row_chunks import Chunk
from labelrisk.prompting.questions import row_key

Labelled = tuple[list[int], pa.Table]  # places of rows in a chunk, and these rows


class StoredLabels:
    """The labels of one annotator that follow from stored answers alone; its cache is open already."""

    def __init__(self, labeller: ChatLabeller, cache: Path) -> None:
        self._labeller = labeller
        self._lookup = CallLookup(cache)

    def of(self, chunk: Chunk) -> Labelled:
        """The rows of a chunk that are asked, as far as they follow from stored answers.

        What is left: rows about which more is asked, or whose answers can't be read; and rows without a label until one
        has been seen, for whoever asks counts these.
        """
        labeller = self._labeller
        twice = chunk.flags if labeller.annotator.screening == "canary" else {}
        keys = {
            place: [key for key, _, _ in labeller.questions.calls(labeller.shown(chunk, place), chunk.texts[place])]
            for place in chunk.asked
            if not twice.get(place)
        }
        try:
            packed = self._lookup.find([key for some in keys.values() for key in some])
        except sqlite3.Error:  # whoever looks for each alone says what is wrong
            packed = {}
        labelled: dict[int, LabelledRow] = {}
        for place, some in keys.items():
            stored = [one for key in some if key in packed and (one := self._lookup.unpacked(packed[key])) is not None]
            if len(stored) == len(some) and (row := self._row(chunk, place, some, stored)):
                labelled[place] = row
        return list(labelled), labels_table(list(labelled.values()))

    def _row(self, chunk: Chunk, place: int, keys: list[bytes], stored: list[Stored]) -> LabelledRow | None:
        found = self._labeller.questions.of_first_answers(keys, stored)
        if found is None:
            return None
        answer, spent = found
        first = self._labeller.first_answers
        first.has_label = first.has_label or answer.status == "ok"
        if not first.has_label:
            return None
        return self._labeller.row(chunk, place, answer, chunk.flags.get(place), spent, row_key(keys))

    def close(self) -> None:
        """Close the connection."""
        self._lookup.close()


def add(labelled: Labelled, chunk: Chunk) -> None:
    """Add rows to what is known of a chunk."""
    places, table = labelled
    if places:
        chunk.known = pa.concat_tables([chunk.known, table])
        chunk.known_places = np.concatenate([chunk.known_places, np.array(places, dtype=np.int64)])
        chunk.asked = sorted(set(chunk.asked).difference(places))
