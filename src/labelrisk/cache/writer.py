"""Writes to the call cache from the event loop: what came in one turn is one transaction, made durable behind it.

A commit without waiting for the disk takes some 50 microseconds, less than handing the work to a thread would, and
survives the death of the process.  What must survive the loss of power, too, counts as written only when a thread has
flushed SQLite's log to the disk.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from labelrisk.cache.calls import CallCache
from labelrisk.errors import LabelRiskError

WAIT_FOR_SPACE = 60.0  # seconds that answers are held in memory for when the disk is full
BETWEEN_TRIES = 0.5
NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)  # the second one where a quota is used up
Result = TypeVar("Result")


class Waiting(NamedTuple):
    """A write that is to come."""

    write: Callable[[CallCache], Any]
    durable: bool
    claim: bool
    future: asyncio.Future[Any]


class CacheWriter:
    """Runs writes on a call cache in the order given; belongs to one event loop."""

    def __init__(self, cache: CallCache) -> None:
        self._cache = cache
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Waiting] = []
        self._scheduled = False
        self._full_since: float | None = None
        self._committed: list[tuple[asyncio.Future[Any], Any]] = []  # not yet on the disk
        self._flushing = False
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="call-cache-flush")

    def submit(
        self, write: Callable[[CallCache], Result], *, durable: bool, claim: bool = False
    ) -> asyncio.Future[Result]:
        """Write at the end of this turn of the loop; the future has the result, or a LabelRiskError.

        durable: the future waits until the write is on the disk; claim: it lets something be sent, whose answer will
        need more room.
        """
        future: asyncio.Future[Result] = self._loop.create_future()
        self._waiting.append(Waiting(write, durable, claim, future))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._write)
        return future

    def close(self) -> None:
        """End the thread."""
        self._flusher.shutdown()

    def _write(self) -> None:
        """All that waits, in one transaction; a full disk is given WAIT_FOR_SPACE, for answers are paid."""
        waiting, self._waiting, self._scheduled = self._waiting, [], False
        self._write_together(waiting)
        self._flush()

    def _write_together(self, waiting: list[Waiting]) -> None:
        try:
            with self._cache.transaction():
                results = [one.write(self._cache) for one in waiting]
        except Exception as error:
            if isinstance(error, sqlite3.Error) and self._waits_for_space(error):
                self._waiting += waiting
                if not self._scheduled:
                    self._scheduled = True
                    self._loop.call_later(BETWEEN_TRIES, self._write)
            elif len(waiting) > 1:  # what can't be written must not take the answers beside it along
                for one in waiting:
                    if _is_full(error) and one.claim:  # it may still fit, but its answer would not
                        self._fail([one.future], error)
                    else:
                        self._write_together([one])
            else:
                self._fail([one.future for one in waiting], error)
            return
        self._full_since = None
        for one, result in zip(waiting, results, strict=True):
            if one.durable:
                self._committed.append((one.future, result))
            elif not one.future.done():
                one.future.set_result(result)

    def _waits_for_space(self, error: sqlite3.Error) -> bool:
        if not _is_full(error):
            return False
        if self._full_since is None:
            self._full_since = time.monotonic()
            print(f"\nthe disk of {self._cache.path} is full: waiting for space, asking nothing", file=sys.stderr)
        return time.monotonic() - self._full_since < WAIT_FOR_SPACE

    def _fail(self, futures: list[asyncio.Future[Any]], error: Exception) -> None:
        if isinstance(error, sqlite3.Error):
            error = LabelRiskError(
                f"{self._cache.path} can't store answers ({error}); free disk space or permissions, then run again"
            )
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def _flush(self) -> None:
        """Bring to the disk what is committed, one flush at a time."""
        if self._flushing or not self._committed:
            return
        self._flushing = True
        done, self._committed = self._committed, []
        flushed = self._loop.run_in_executor(self._flusher, os.fsync, self._cache.log)

        def ended(flushed: asyncio.Future[None]) -> None:
            self._flushing = False
            if error := flushed.exception():
                self._fail(
                    [future for future, _ in done], LabelRiskError(f"{self._cache.path} can't be stored: {error}")
                )
            for future, result in done:
                if not future.done():
                    future.set_result(result)
            self._flush()

        flushed.add_done_callback(ended)


def _is_full(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in NO_SPACE
