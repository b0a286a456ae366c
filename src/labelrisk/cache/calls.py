"""The call cache: every answer that was paid for, keyed by everything that was sent, outside DVC's outs.

One SQLite file, which also keeps what belongs to the same transactions: who is asking what, and what was spent.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelrisk.cache.dictionaries import Dictionaries
from labelrisk.cache.location import shared_between_experiments
from labelrisk.cache.packing import packed_text, response_bytes, response_of, text_of, unpacked
from labelrisk.cache.process_locks import ProcessLock
from labelrisk.cache.schema import SCHEMA_VERSION, migrate, template_hash
from labelrisk.cache.templates import RequestTemplate
from labelrisk.cache.usage import usage_of
from labelrisk.errors import LabelRiskError
from labelrisk.files import make_unseen_folder

CACHE_KILOBYTES = 64_000  # of the file in memory: the index of a million keys
MOST_TEMPLATES = 1000  # whose ids are remembered: with a template per row they would fill the memory
UNREADABLE = (sqlite3.Error, zlib.error, ValueError, TypeError, OverflowError, RecursionError)
OF_KEY = "substr(key, 1, 8) = substr(?1, 1, 8) AND key = ?1"  # by either of the indexes that a file may have
PATIENCE = 60.0  # seconds that others may hold the file for


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer of the cache, its cost, and when it was given, in seconds since 1970; None is unknown."""

    response: dict[str, Any]
    cost: float | None
    answered: int | None = None


class CallCache:
    """Answers by call key.

    owner: the token of this process; locks: the folder in which each process that uses the cache holds a lock.
    Raises LabelRiskError when the file is no call cache, one of a newer version, or can't be written; it is never
    overwritten.
    """

    def __init__(self, path: Path) -> None:
        self.path = path = shared_between_experiments(path)
        self.locks = path.parent / "running"
        self._template_ids: dict[tuple[str, str], int] = {}
        self._transactions = 0
        self._dictionaries = Dictionaries(self.execute)
        try:
            make_unseen_folder(path.parent)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise LabelRiskError(
                    f"{path} is a call cache of version {version}, newer than this program's; update it"
                )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("BEGIN IMMEDIATE")
            migrate(self._connection)
            self._lock = ProcessLock(self.locks)  # while nobody prunes, who looks for others within a transaction
            self._connection.execute("COMMIT")
            # the log is flushed to the disk by whoever needs it, and by SQLite before it moves it into the file
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(f"PRAGMA cache_size=-{CACHE_KILOBYTES}")
            self.log = os.open(f"{path}-wal", os.O_RDONLY)
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise LabelRiskError(
                    f"{path} is held by another program for longer than {PATIENCE:g} seconds; close it, then run again"
                ) from None
            raise LabelRiskError(
                f"{path} can't be used as call cache ({error}); it may hold paid answers: "
                "make it writable or move it aside, don't delete it"
            ) from None
        self.owner = self._lock.token

    def find(self, key: bytes) -> Stored | None:
        """The stored answer to a call, or None."""
        with self.readable():
            row = self.execute(f"SELECT response, cost, answered FROM calls WHERE {OF_KEY}", (key,)).fetchone()
            return Stored(self.response(row[0]), row[1], row[2]) if row else None

    def has(self, key: bytes) -> bool:
        """Whether there is an answer to a call."""
        with self.readable():
            return self.execute(f"SELECT 1 FROM calls WHERE {OF_KEY}", (key,)).fetchone() is not None

    def response(self, stored: bytes) -> dict[str, Any]:
        """A response as it came, of the column that holds it."""
        return response_of(unpacked(stored, self._dictionaries))

    def text(self, stored: str | bytes) -> str:
        """A text, of the column that holds it."""
        return str(text_of(stored, self._dictionaries))

    @contextmanager
    def readable(self) -> Iterator[None]:
        """What SQLite or an answer in a damaged file fails with becomes a LabelRiskError."""
        try:
            yield
        except UNREADABLE as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: BaseException) -> LabelRiskError:
        if isinstance(error, sqlite3.OperationalError):
            return LabelRiskError(f"{self.path} can't be used now ({error}); nothing in it was changed")
        return LabelRiskError(
            f"{self.path} is damaged ({error}); it holds paid answers: keep a copy, then save what can be read "
            f"with `sqlite3 {self.path} .recover | sqlite3 recovered.sqlite`"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes or none; they survive the process at the end, and the loss of power once `log` is flushed."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._transactions += 1
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._template_ids.clear()  # those of this transaction are not there
            self._dictionaries.forget()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def state(self) -> tuple[int, int]:
        """The same twice within a transaction: no row was changed in between; other processes can't change any then."""
        return self._transactions, self._connection.total_changes

    def store(
        self,
        key: bytes,
        template: RequestTemplate,
        text: str,
        response: dict[str, Any],
        annotator: str,
        cost: float | None,
        answered: int | None = None,
    ) -> None:
        """Store an answer; the first answer to a call stays.  answered: seconds since 1970; None for now."""
        usage = usage_of(response)
        when = int(time.time()) if answered is None else answered
        numbers = (when, annotator, usage.input, usage.output, cost)
        parts = (template.endpoint, template.model, template.prefix, template.suffix)
        self.insert(key, parts, text, response_bytes(response), numbers)

    def insert(
        self, key: bytes, template: tuple[str, str, str, str], text: str, response: bytes, numbers: tuple[Any, ...]
    ) -> bool:
        """Store an answer unless there is one to that call; returns whether it was stored.

        template: endpoint, model, prefix and suffix; response: its canonical JSON; numbers: second, annotator, tokens
        of input and output, cost.
        """
        if self.has(key):
            return False
        call = self.execute("SELECT coalesce(max(id), 0) + 1 FROM calls").fetchone()[0]
        annotator = str(numbers[1] or "")
        stored_text = packed_text(text, self._dictionaries, annotator, call)
        packed = self._dictionaries.packed(response, "response", annotator, call)
        values = (call, key, self.template_id(*template), stored_text, packed, *numbers)
        self.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        return True

    def template_id(self, endpoint: str, model: str, prefix: str, suffix: str) -> int:
        """The row in which a request template is stored, now if it was not."""
        known = (prefix, suffix)
        if known not in self._template_ids:
            if len(self._template_ids) > MOST_TEMPLATES:
                self._template_ids.clear()
            execute = self._connection.execute
            values = (template_hash(*known), endpoint, model, *known)
            execute("INSERT OR IGNORE INTO frames VALUES (NULL, ?, ?, ?, ?, ?)", values)
            self._template_ids[known] = execute("SELECT id FROM frames WHERE hash = ?", values[:1]).fetchone()[0]
        return self._template_ids[known]

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run a statement of the caller's own."""
        return self._connection.execute(statement, values)

    def executemany(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement of the caller's own once for each row of values."""
        self._connection.executemany(statement, rows)

    def close(self) -> None:
        """Close the file and stop holding claims."""
        self._connection.close()
        os.close(self.log)
        self._lock.close()
