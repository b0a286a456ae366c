"""Looking into a call cache without changing it: its answers row by row, and what is wrong with one."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from labelrisk.cache.answer_json import is_completion
from labelrisk.cache.answer_query import Rules
from labelrisk.cache.calls import UNREADABLE
from labelrisk.cache.dictionaries import Dictionaries
from labelrisk.cache.packing import response_of, text_of, unpacked
from labelrisk.cache.schema import SCHEMA_VERSION, migrate
from labelrisk.cache.templates import RequestTemplate, stored_template
from labelrisk.cache.usage import MOST_TOKENS
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import named_file

READ_AS_IT_IS = 2  # the first version whose answers need no other form to be read
LATEST = 253_402_300_799  # the last second of the year 9999


class AnswerRow(NamedTuple):
    """An answer of a call cache with its request template.

    response: its JSON; a text says why it can't be read.
    """

    id: int
    key: bytes
    endpoint: str
    model: str
    prefix: str
    suffix: str
    text: str
    response: bytes | str
    answered: int
    annotator: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a call cache that can't write, and to which it stays as it is at the first look.

    An older version is brought forward in a temporary copy.

    Raises LabelRiskError when the file is absent, no call cache, of a newer version, or can't be read on the way.
    """
    named_file(path, "give --cache the file of a call cache, which `dvc repro` makes")
    try:
        with closing(_opened(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise LabelRiskError(
                    f"{path} is a call cache of version {version}, newer than this program's; update it"
                )
            connection.execute("PRAGMA trusted_schema=OFF")  # somebody else's file may hold more than tables
            tables = "SELECT count(*) FROM sqlite_master WHERE name = 'calls' AND type = 'table'"
            if not version or not connection.execute(tables).fetchone()[0]:
                raise LabelRiskError(f"{path} is no call cache; name another file")
            if version >= READ_AS_IT_IS:
                connection.execute("BEGIN")
                yield connection
            else:
                with tempfile.TemporaryDirectory() as folder, closing(_forward(connection, path, Path(folder))) as copy:
                    yield copy
    except UNREADABLE as error:
        raise LabelRiskError(
            f"{path} can't be read as call cache ({shown(error, 200)}); it may hold paid answers: keep a copy of it, "
            "then see what `sqlite3 FILE .recover` brings back"
        ) from None


def _opened(path: Path) -> sqlite3.Connection:
    # where nothing can be written, SQLite can't make the files through which it shares a cache, and nobody shares it
    alone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=60)
    connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")  # a broken text is a wrong row
    return connection


def _forward(connection: sqlite3.Connection, path: Path, folder: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(folder / "calls.sqlite", isolation_level=None)
    try:
        connection.backup(copy)
        copy.execute("BEGIN")
        migrate(copy)
        copy.execute("COMMIT")
    except (AttributeError, TypeError, ValueError) as error:
        copy.close()
        raise LabelRiskError(f"{path} is of an older version and has an answer that can't be read ({error})") from None
    return copy


def stored_rows(connection: sqlite3.Connection, rules: Rules | None = None) -> Iterator[AnswerRow]:
    """The answers in the order in which they came; a template that is missing is None throughout."""
    dictionaries = Dictionaries(connection.execute)
    for row in packed_rows(connection, rules or Rules()):
        yield unpacked_row(row, dictionaries)


def packed_rows(connection: sqlite3.Connection, rules: Rules) -> Iterator[AnswerRow]:
    """The answers in their order, with texts and responses as they are stored."""
    condition, values = rules.sql()
    query = (
        "SELECT calls.id, key, endpoint, model, prefix, suffix, text, response, answered, annotator, input_tokens, "
        f"output_tokens, cost FROM calls LEFT JOIN frames ON frames.id = frame WHERE {condition} ORDER BY calls.id"
    )
    return map(AnswerRow._make, connection.execute(query, values))


def unpacked_row(row: AnswerRow, dictionaries: Dictionaries) -> AnswerRow:
    """An answer of `packed_rows` as it came."""
    text, response = row.text, row.response
    with suppress(TypeError, ValueError, zlib.error):  # it stays what it is, which is no text
        text = text_of(text, dictionaries)
    try:
        response = unpacked(response, dictionaries)  # type: ignore[arg-type]
    except (TypeError, ValueError, zlib.error) as error:
        response = str(error)
    return row._replace(text=text, response=response)


def fault(row: AnswerRow) -> str | None:
    """What is wrong with an answer, or None."""
    if row.prefix is None:
        return "its request is missing"
    if isinstance(row.text, bytes):
        return "its text can't be read"
    try:
        if not _are_columns(row):
            return "it has a value of another kind than its column"
        if _template(row.endpoint, row.model, row.prefix, row.suffix).key(row.text) != row.key:
            return "its key is not that of its request"
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        return f"its request can't be read ({error})"
    if isinstance(row.response, str):
        return f"its response can't be read ({row.response})"
    try:
        response = response_of(row.response)
    except (TypeError, ValueError) as error:
        return f"its response can't be read ({error})"
    return None if is_completion(response) else "its response has no choices with a message"


def _are_columns(row: AnswerRow) -> bool:
    """Whether the values are what the columns are for: SQLite stores any in any."""
    texts = (row.endpoint, row.model, row.prefix, row.suffix, row.text)
    counts = (row.input_tokens, row.output_tokens)
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(row.key, bytes)
        and (row.annotator is None or (isinstance(row.annotator, str) and row.annotator.isprintable()))
        and type(row.answered) is int
        and 0 <= row.answered <= LATEST
        and all(count is None or (type(count) is int and 0 <= count <= MOST_TOKENS) for count in counts)
        and (row.cost is None or (isinstance(row.cost, int | float) and 0 <= row.cost < math.inf))
    )


@lru_cache(maxsize=1000)
def _template(endpoint: str, model: str, prefix: str, suffix: str) -> RequestTemplate:
    """Raises ValueError when it is no request of that endpoint and model."""
    whole = json.loads(prefix + suffix)
    if (whole["endpoint"], whole["request"].get("model")) != (endpoint, model):
        raise ValueError("it is of another endpoint or model")
    return stored_template(endpoint, model, prefix, suffix)
