"""JSON lines from a pipe, answered as they come."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from labelrisk.applying.parquet_inputs import ROWS
from labelrisk.corpora.json_lines import object_of
from labelrisk.errors import LabelRiskError, nearest, shown

WHERE = "standard input"
BYTES = 2**20  # that are read at once
LETTERS = 2**24  # of the lines that are answered at once


def waiting_objects(descriptor: int) -> Iterator[list[dict[str, Any]]]:
    """The objects of the lines that are there, at least one and at most ROWS, as soon as they are there.

    Raises LabelRiskError where object_of does.
    """
    rest, number = b"", 0
    while True:
        more = os.read(descriptor, BYTES)
        lines = (rest + more).split(b"\n")
        rest = lines.pop() if more else b""
        part: list[dict[str, Any]] = []
        letters = 0
        for raw in lines:
            number += 1
            try:
                content = object_of(raw, number, WHERE)
            except LabelRiskError:
                if part:
                    yield part  # what came before is answered
                raise
            if content is None:
                continue
            part.append(content)
            letters += len(raw)
            if len(part) == ROWS or letters >= LETTERS:
                yield part
                part, letters = [], 0
        if part:
            yield part
        if not more:
            return


def answer(
    rows: list[dict[str, Any]], text: str, ours: Callable[[list[object]], list[Mapping[str, Any]]], names: set[str]
) -> list[dict[str, Any]]:
    """Rows with what is said of their texts; names: of the new keys.

    Raises LabelRiskError for a row without the key of the text, and one that has a new key already.
    """
    for row in rows:
        if text not in row:
            raise LabelRiskError(f"{WHERE} has a line without the key '{shown(text)}'; {nearest(text, row)}")
        if clash := names & row.keys():
            raise LabelRiskError(f"{WHERE} has a key '{shown(min(clash))}' already; give --prefix for the new keys")
    return [row | dict(said) for row, said in zip(rows, ours([row[text] for row in rows]), strict=True)]


def write_line(row: Mapping[str, Any]) -> None:
    """Write a row as JSON in ASCII, in which nothing is left that a terminal obeys."""
    sys.stdout.write(json.dumps(row, default=str).replace("\x7f", "\\u007f") + "\n")
