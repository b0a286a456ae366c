"""The answers of a call cache taken in parts that follow each other, of which processes work on several at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from labelrisk.cache.answer_query import Rules
from labelrisk.cache.dictionaries import Dictionaries
from labelrisk.cache.processes import in_order
from labelrisk.cache.stored_answers import AnswerRow, packed_rows, unpacked_row

ROWS = 4096  # of a part, at most
BYTES = 2**22  # of texts and responses as they are stored, after which a part ends
MANY = 100_000  # ids from which it pays to start processes
Part = list[AnswerRow]  # as they are stored
Result = TypeVar("Result")

_dictionaries: Dictionaries | None = None  # of a process


def of_parts(
    connection: sqlite3.Connection, rules: Rules, rows_of: Callable[[Iterator[AnswerRow]], Result]
) -> Iterator[Result]:
    """What becomes of the answers that the rules mean, part by part in their order.

    connection: of `reading` to the cache, which alone is read, in one state; rows_of: stands in a module.
    """
    dictionaries = Dictionaries(connection.execute)
    parts, here = _parts(packed_rows(connection, rules)), partial(_of_part, rows_of, dictionaries)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()
    if last < MANY:
        yield from map(here, parts)
    else:
        for _, result in in_order(partial(_in_process, rows_of), parts, here, _start, (dictionaries.contents(),)):
            yield result


def _parts(rows: Iterator[AnswerRow]) -> Iterator[Part]:
    part: Part = []
    size, templates = 0, dict[str, str]()
    for row in rows:
        # of many equal templates a process is sent one
        endpoint, model, prefix, suffix = (templates.setdefault(text, text) for text in row[2:6])
        part.append(row._replace(endpoint=endpoint, model=model, prefix=prefix, suffix=suffix))
        size += sum(len(content) for content in (row.text, row.response) if isinstance(content, str | bytes))
        if len(part) == ROWS or size >= BYTES:
            yield part
            part, size, templates = [], 0, {}
    if part:
        yield part


def _of_part(rows_of: Callable[[Iterator[AnswerRow]], Result], dictionaries: Dictionaries, part: Part) -> Result:
    return rows_of(unpacked_row(row, dictionaries) for row in part)


def _start(contents: dict[int, bytes]) -> None:
    global _dictionaries
    _dictionaries = Dictionaries(sqlite3.connect(":memory:").execute, contents=contents)


def _in_process(rows_of: Callable[[Iterator[AnswerRow]], Result], part: Part) -> Result:
    assert _dictionaries is not None
    return _of_part(rows_of, _dictionaries, part)
