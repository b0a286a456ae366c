"""The thread that writes to the call cache: what waits is written in one transaction, and the asking goes on."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from labelrisk.annotators.calls import CallCache
from labelrisk.errors import LabelRiskError

WAIT_FOR_SPACE = 60.0  # seconds that answers are held in memory for when the disk is full
Result = TypeVar("Result")
Write = Callable[[CallCache], Any]


class Writer:
    """Runs writes on a call cache in the order given, but for this: those that are not durable need not wait for
    the disk, so they go ahead of the durable ones that wait with them.
    """

    def __init__(self, cache: CallCache) -> None:
        self._cache = cache
        self._queue: SimpleQueue[tuple[Write, bool, Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="call-cache-writer", daemon=True)
        self._thread.start()

    def submit(self, write: Callable[[CallCache], Result], *, durable: bool) -> Future[Result]:
        """Write soon; the future has the result once it is written, or a LabelRiskError."""
        future: Future[Result] = Future()
        self._queue.put((write, durable, future))
        return future

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            waiting = [first]
            while not self._queue.empty():
                if (more := self._queue.get()) is None:
                    self._queue.put(None)
                    break
                waiting.append(more)
            for durable in (False, True):
                if chosen := [(write, future) for write, kind, future in waiting if kind is durable]:
                    self._write(chosen, durable)

    def _write(self, chosen: list[tuple[Write, Future[Any]]], durable: bool) -> None:
        try:
            results = self._in_one_transaction([write for write, _ in chosen], durable)
        except BaseException as error:
            told = error
            if isinstance(error, sqlite3.Error):
                told = LabelRiskError(
                    f"{self._cache.path} can't store answers ({error}); free disk space or permissions, then run again"
                )
            for _, future in chosen:
                future.set_exception(told)
        else:
            for (_, future), result in zip(chosen, results, strict=True):
                future.set_result(result)

    def _in_one_transaction(self, writes: list[Write], durable: bool) -> list[Any]:
        """Raises sqlite3.Error; a full disk is given WAIT_FOR_SPACE seconds first, for these answers are paid."""
        deadline = time.monotonic() + WAIT_FOR_SPACE
        warned = False
        while True:
            try:
                with self._cache.transaction(durable):
                    return [write(self._cache) for write in writes]
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_FULL or time.monotonic() > deadline:
                    raise
            if not warned:
                print(f"the disk of {self._cache.path} is full: waiting for space, asking nothing", file=sys.stderr)
                warned = True
            time.sleep(0.5)
