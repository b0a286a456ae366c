"""Every answer of a call cache against its key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from labelrisk.cache.answer_query import Rules
from labelrisk.cache.parts import of_parts
from labelrisk.cache.stored_answers import AnswerRow, fault


def faults(connection: sqlite3.Connection) -> Iterator[tuple[int, list[str]]]:
    """Part by part: how many answers it has, and a line for each that is wrong."""
    return of_parts(connection, Rules(), _faults)


def _faults(rows: Iterator[AnswerRow]) -> tuple[int, list[str]]:
    checked, found = 0, []
    for row in rows:
        checked += 1
        if reason := fault(row):
            key = row.key.hex() if isinstance(row.key, bytes) else row.key
            found.append(f"row {row.id}, key {key}: {reason}")
    return checked, found
