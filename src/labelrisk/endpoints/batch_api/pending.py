"""Who waits for which answer, and what goes into the next batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from labelrisk.cache.calls import Stored
from labelrisk.cache.templates import Call
from labelrisk.endpoints.endpoint import NoAnswer, RowRefused
from labelrisk.spending.budget import Budget, Unanswered

MOST_REQUESTS = 50_000  # of one batch
MOST_BYTES = 190_000_000  # of its file; the endpoint takes 200 MB
LINE_BYTES = 200  # of a line around its request, at most


@dataclass(slots=True, eq=False)
class PendingCall:
    """A call that somebody waits for."""

    call: Call
    answer: asyncio.Future[Stored]
    failures: int = 0


class PendingCalls:
    """The calls that wait, by key.  retries: how often a call that got no answer goes into another batch."""

    def __init__(self, retries: int) -> None:
        self.asked: dict[bytes, PendingCall] = {}
        self.refused: dict[bytes, RowRefused] = {}  # by batches of earlier runs, perhaps before they are asked here
        self._retries = retries
        self._next: list[PendingCall] = []
        self._capped: list[PendingCall] = []  # until batches under way leave money over
        self._asked_at = 0.0

    def answer(self, call: Call) -> asyncio.Future[Stored]:
        """What will be the answer; two who ask the same share it."""
        if call.key not in self.asked:
            self.asked[call.key] = PendingCall(call, asyncio.get_running_loop().create_future())
            self.add([self.asked[call.key]])
        return self.asked[call.key].answer

    def add(self, asked: Sequence[PendingCall]) -> None:
        """Put calls into the next batch."""
        self._next += asked
        self._asked_at = time.monotonic()

    def add_capped(self, asked: PendingCall) -> None:
        """Put a call into a later batch."""
        self._capped.append(asked)

    def free_capped(self) -> None:
        """After a batch: what was capped has another chance."""
        capped, self._capped = self._capped, []
        if capped:
            self.add(capped)

    def quiet(self) -> float:
        """Seconds since the last call was put into the next batch."""
        return time.monotonic() - self._asked_at

    def __len__(self) -> int:
        return len(self._next)

    def taken(self) -> list[PendingCall]:
        """As much of what waits as goes into one batch."""
        size = number = 0
        for asked in self._next[:MOST_REQUESTS]:
            size += asked.call.template.size(asked.call.text) + LINE_BYTES
            if size > MOST_BYTES and number:
                break
            number += 1
        taken, self._next = self._next[:number], self._next[number:]
        return taken

    def resolve(self, key: bytes, result: Stored | Exception) -> None:
        """Tell whoever waits for it."""
        if isinstance(result, RowRefused):
            self.refused[key] = result
        asked = self.asked.pop(key, None)
        if asked is None or asked.answer.done():
            return
        if isinstance(result, Stored):
            asked.answer.set_result(result)
        else:
            asked.answer.set_exception(result)
            asked.answer.exception()  # read: nobody may be waiting any more

    def retry(self, key: bytes, error: NoAnswer) -> None:
        """Ask once more what got no answer, if anybody waits for it."""
        if asked := self.asked.get(key):
            asked.failures += 1
            if asked.failures > self._retries:
                self.resolve(key, Unanswered(error.reason))
            else:
                self.add([asked])

    def end(self) -> None:
        """Nobody waits any longer."""
        for key in list(self.asked):
            self.resolve(key, Unanswered())


class BackgroundTasks:
    """Work in the background whose failure stops the asking."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin some work."""
        task = asyncio.create_task(self._done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Wait until all is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unanswered:  # stopped: what is under way stays for the next run
            pass
        except Exception as error:
            self._budget.stop(error)
