"""The call cache: every answer that was paid for, keyed by everything that was sent, outside DVC's outs.

One SQLite file.  Beside the answers it holds the claims of running processes, so that nobody asks what another is
asking, and what each annotator has spent, so that caps hold over runs and processes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelrisk.cache.processes import ProcessLock, alive
from labelrisk.cache.schema import SCHEMA_VERSION, migrate, template_hash
from labelrisk.cache.templates import RequestTemplate
from labelrisk.errors import LabelRiskError
from labelrisk.files import canonical_json

BATCH_OWNER = "batch:"  # and the token of a batch, which outlives its process

CACHE_KILOBYTES = 64_000  # of the file in memory: the index of a million keys
UNREADABLE = (sqlite3.Error, zlib.error, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer of the cache and what it cost when it was asked; None is unknown."""

    response: dict[str, Any]
    cost: float | None


@dataclass(frozen=True, slots=True)
class Caps:
    """What an annotator may spend in all, over runs."""

    cost: float | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What an annotator has spent here: requests sent, and their cost with unknown costs at their upper bound.

    lost: requests that were in flight when a process was killed; they count at their upper bound.
    """

    requests: int = 0
    cost: float = 0.0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Whether a request may be sent: `granted`, or `found` in the cache, `busy` (another process is asking it),
    `capped` (the word says which cap).
    """

    outcome: str
    stored: Stored | None = None
    cap: str | None = None


def shared_between_experiments(path: Path) -> Path:
    """The project's own file also for `dvc exp run --temp` and the queue, whose folders DVC deletes afterwards."""
    parts = Path.cwd().parts
    for place in range(len(parts) - 2):
        if parts[place : place + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:place]) / path
    return path


class CallCache:
    """Answers by call key.

    Raises LabelRiskError when the file is no call cache, one of a newer version, or can't be written; it is never
    overwritten.
    """

    def __init__(self, path: Path) -> None:
        self.path = path = shared_between_experiments(path)
        self._running = path.parent / "running"
        self._frames: dict[tuple[str, str], int] = {}
        self._in_flight: dict[str, float] = {}  # bounds of an annotator's claims, within one transaction
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
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
            self._owner = ProcessLock(self._running)
        except (sqlite3.Error, OSError) as error:
            raise LabelRiskError(
                f"{path} can't be used as call cache ({error}); it may hold paid answers: "
                "make it writable or move it aside, don't delete it"
            ) from None
        self.owner = self._owner.token

    def find(self, key: bytes) -> Stored | None:
        """The stored answer to a call, or None."""
        try:
            row = self._connection.execute("SELECT response, cost FROM calls WHERE key = ?", (key,)).fetchone()
            return Stored(unpacked(row[0]), row[1]) if row else None
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
        self._in_flight.clear()
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._frames.clear()  # those of this transaction are not there
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def reserve(
        self, key: bytes, annotator: str, bound: float, caps: Caps, owner: str | None = None, again: bool = False
    ) -> Reservation:
        """Claim a call before it is sent, counting it at its upper bound, unless a cap forbids it.

        again: this process holds the claim and sends the request once more.
        """
        execute = self._connection.execute
        if stored := self.find(key):
            return Reservation("found", stored)
        claim = None if again else execute("SELECT owner FROM claims WHERE key = ?", (key,)).fetchone()
        if claim and self._is_alive(claim[0]):
            return Reservation("busy")
        if claim:
            self._write_off(claim[0])
        if cap := self._forbidden(annotator, 0.0 if again else bound, caps):
            return Reservation("capped", cap=cap)
        if not again:
            execute("INSERT INTO claims VALUES (?, ?, ?, ?)", (key, owner or self.owner, annotator, bound))
            if annotator in self._in_flight:
                self._in_flight[annotator] += bound
        execute(
            "INSERT INTO spent (annotator, requests) VALUES (?, 1) "
            "ON CONFLICT (annotator) DO UPDATE SET requests = requests + 1",
            (annotator,),
        )
        return Reservation("granted")

    def _forbidden(self, annotator: str, bound: float, caps: Caps) -> str | None:
        if caps.cost is None and caps.requests is None:
            return None
        spent = self.spending(annotator)
        if caps.requests is not None and spent.requests + 1 > caps.requests:
            return "max_requests"
        if caps.cost is not None:
            if annotator not in self._in_flight:  # summed once: a batch claims thousands in one transaction
                claimed = "SELECT total(cost) FROM claims WHERE annotator = ?"
                self._in_flight[annotator] = self._connection.execute(claimed, (annotator,)).fetchone()[0]
            if spent.cost + self._in_flight[annotator] + bound > caps.cost:
                return "max_cost"
        return None

    def store(
        self,
        key: bytes,
        frame: RequestTemplate,
        text: str,
        response: dict[str, Any],
        annotator: str,
        cost: float | None,
    ) -> None:
        """Store an answer; the first answer to a call stays."""
        usage = response.get("usage") or {}
        tokens = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
        values = (key, self._frame_id(frame), text, packed(response), int(time.time()), annotator, *tokens, cost)
        self._connection.execute("INSERT OR IGNORE INTO calls VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def settle(self, key: bytes, annotator: str, cost: float, sent: bool = True) -> None:
        """Give a claim back and count what its request cost, at most; one that was never sent was none."""
        self._connection.execute("DELETE FROM claims WHERE key = ?", (key,))
        self._in_flight.clear()
        self.count(annotator, cost)
        if not sent:
            self._connection.execute("UPDATE spent SET requests = requests - 1 WHERE annotator = ?", (annotator,))

    def count(self, annotator: str, cost: float) -> None:
        """Count a cost that was or may have been paid."""
        self._connection.execute("UPDATE spent SET cost = cost + ? WHERE annotator = ?", (cost, annotator))

    def spending(self, annotator: str) -> Spending:
        """What an annotator has spent here so far; requests in flight count as requests, their cost does not yet."""
        row = self._connection.execute(
            "SELECT requests, cost, lost FROM spent WHERE annotator = ?", (annotator,)
        ).fetchone()
        return Spending(*row) if row else Spending()

    def write_off_dead(self) -> int:
        """Count what processes that died had in flight as paid at its upper bound; return how many requests."""
        owners = [owner for (owner,) in self._connection.execute("SELECT DISTINCT owner FROM claims")]
        return sum(self._write_off(owner) for owner in owners if not self._is_alive(owner))

    def remove_left_behind(self, folder: Path, suffix: str) -> None:
        """Remove files `<owner><suffix>` of processes that died."""
        for path in folder.glob(f"*{suffix}"):
            if not self._is_alive(path.name.removesuffix(suffix)):
                path.unlink(missing_ok=True)

    def _write_off(self, owner: str) -> int:
        execute = self._connection.execute
        execute(
            "UPDATE spent SET cost = spent.cost + c.cost, lost = spent.lost + c.n FROM "
            "(SELECT annotator, sum(cost) AS cost, count(*) AS n FROM claims WHERE owner = ? GROUP BY annotator) AS c "
            "WHERE spent.annotator = c.annotator",
            (owner,),
        )
        self._in_flight.clear()
        return execute("DELETE FROM claims WHERE owner = ?", (owner,)).rowcount

    def _is_alive(self, owner: str) -> bool:
        if owner == self.owner:
            return True
        if owner.startswith(BATCH_OWNER):
            token = owner.removeprefix(BATCH_OWNER)
            return self._connection.execute("SELECT 1 FROM batches WHERE token = ?", (token,)).fetchone() is not None
        return alive(self._running, owner)

    def _frame_id(self, frame: RequestTemplate) -> int:
        known = (frame.prefix, frame.suffix)
        if known not in self._frames:
            if len(self._frames) > 1000:  # with a frame per row they would fill the memory
                self._frames.clear()
            execute = self._connection.execute
            values = (template_hash(*known), frame.endpoint, frame.model, *known)
            execute("INSERT OR IGNORE INTO frames VALUES (NULL, ?, ?, ?, ?, ?)", values)
            self._frames[known] = execute("SELECT id FROM frames WHERE hash = ?", values[:1]).fetchone()[0]
        return self._frames[known]

    def rows(self, query: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a query of the caller's own."""
        return self._connection.execute(query, values)

    def close(self) -> None:
        """Close the file and stop holding claims."""
        self._connection.close()
        os.close(self.log)
        self._owner.close()


def packed(response: dict[str, Any]) -> bytes:
    """A response as the cache keeps it: compressed canonical JSON."""
    return zlib.compress(canonical_json(response).encode(errors="surrogatepass"), 1)


def unpacked(content: bytes) -> dict[str, Any]:
    """A response out of the cache."""
    response: dict[str, Any] = json.loads(zlib.decompress(content))
    return response
