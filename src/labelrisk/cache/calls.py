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

from labelrisk.cache.answer_json import parsed
from labelrisk.cache.location import shared_between_experiments
from labelrisk.cache.process_locks import ProcessLock
from labelrisk.cache.schema import SCHEMA_VERSION, migrate, template_hash
from labelrisk.cache.templates import RequestTemplate
from labelrisk.cache.usage import usage_of
from labelrisk.errors import LabelRiskError
from labelrisk.files import canonical_json, make_unseen_folder

CACHE_KILOBYTES = 64_000  # of the file in memory: the index of a million keys
MOST_TEMPLATES = 1000  # whose ids are remembered: with a template per row they would fill the memory
UNREADABLE = (sqlite3.Error, zlib.error, ValueError, TypeError, OverflowError, RecursionError)
PATIENCE = 60.0  # seconds that others may hold the file for
MOST_UNPACKED = 2**26  # bytes of a response; none that was stored has as many


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
            self._connection.execute("COMMIT")
            # the log is flushed to the disk by whoever needs it, and by SQLite before it moves it into the file
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(f"PRAGMA cache_size=-{CACHE_KILOBYTES}")
            self.log = os.open(f"{path}-wal", os.O_RDONLY)
            self._lock = ProcessLock(self.locks)
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
        try:
            query = "SELECT response, cost, answered FROM calls WHERE key = ?"
            row = self._connection.execute(query, (key,)).fetchone()
            return Stored(unpacked(row[0]), row[1], row[2]) if row else None
        except UNREADABLE as error:
            raise self._unreadable(error) from None

    def has(self, key: bytes) -> bool:
        """Whether there is an answer to a call."""
        try:
            return self._connection.execute("SELECT 1 FROM calls WHERE key = ?", (key,)).fetchone() is not None
        except UNREADABLE as error:
            raise self._unreadable(error) from None

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
        template_id = self.template_id(template.endpoint, template.model, template.prefix, template.suffix)
        answer = (packed(response), when, annotator, usage.input, usage.output, cost)
        values = (key, template_id, text, *answer)
        self._connection.execute("INSERT OR IGNORE INTO calls VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

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

    def close(self) -> None:
        """Close the file and stop holding claims."""
        self._connection.close()
        os.close(self.log)
        self._lock.close()


def packed(response: dict[str, Any]) -> bytes:
    """A response as the cache keeps it: compressed canonical JSON."""
    return zlib.compress(canonical_json(response).encode(errors="surrogatepass"), 1)


def unpacked(content: bytes) -> dict[str, Any]:
    """A response out of the cache.

    Raises zlib.error, ValueError or TypeError for what is no packed object.
    """
    unpacking = zlib.decompressobj()
    whole = unpacking.decompress(content, MOST_UNPACKED)
    if not unpacking.eof:
        raise ValueError("it is not whole, or larger than any answer")
    response = parsed(whole)
    if not isinstance(response, dict):
        raise ValueError("it is no chat completion")
    return response
