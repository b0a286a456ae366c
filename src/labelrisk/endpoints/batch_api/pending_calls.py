"""Who waits for which answer, and what goes into the next batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from labelrisk.cache.calls import Stored
from labelrisk.cache.templates import Call
from labelrisk.endpoints.failures import NoAnswer, RowRefused
from labelrisk.spending.budget import Unanswered

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
        self.by_key: dict[bytes, PendingCall] = {}
        self.refused: dict[bytes, RowRefused] = {}  # by batches of earlier runs, perhaps before they are asked here
        self._retries = retries
        self._next: list[PendingCall] = []
        self._capped: list[PendingCall] = []  # until batches under way leave money over
        self._added_at = 0.0

    def answer_to(self, call: Call) -> asyncio.Future[Stored]:
        """What will be the answer; two who ask the same share it."""
        if call.key not in self.by_key:
            self.by_key[call.key] = PendingCall(call, asyncio.get_running_loop().create_future())
            self.add([self.by_key[call.key]])
        return self.by_key[call.key].answer

    def add(self, pending: Sequence[PendingCall]) -> None:
        """Put calls into the next batch."""
        self._next += pending
        self._added_at = time.monotonic()

    def add_capped(self, pending: PendingCall) -> None:
        """Put a call into a later batch."""
        self._capped.append(pending)

    def retry_capped(self) -> None:
        """After a batch: what was capped has another chance."""
        capped, self._capped = self._capped, []
        if capped:
            self.add(capped)

    def seconds_since_added(self) -> float:
        """Seconds since the last call was put into the next batch."""
        return time.monotonic() - self._added_at

    def __len__(self) -> int:
        return len(self._next)

    def take_batch(self) -> list[PendingCall]:
        """As much of what waits as goes into one batch."""
        size = number = 0
        for pending in self._next[:MOST_REQUESTS]:
            size += pending.call.template.size(pending.call.text) + LINE_BYTES
            if size > MOST_BYTES and number:
                break
            number += 1
        taken, self._next = self._next[:number], self._next[number:]
        return taken

    def resolve(self, key: bytes, result: Stored | Exception) -> None:
        """Give whoever waits for a call its answer, or the reason why there is none."""
        if isinstance(result, RowRefused):
            self.refused[key] = result
        pending = self.by_key.pop(key, None)
        if pending is None or pending.answer.done():
            return
        if isinstance(result, Stored):
            pending.answer.set_result(result)
        else:
            pending.answer.set_exception(result)
            pending.answer.exception()  # read: nobody may be waiting any more

    def retry(self, key: bytes, error: NoAnswer) -> None:
        """Ask once more what got no answer, if anybody waits for it."""
        if pending := self.by_key.get(key):
            pending.failures += 1
            if pending.failures > self._retries:
                self.resolve(key, Unanswered(error.reason))
            else:
                self.add([pending])

    def give_up_all(self) -> None:
        """Nobody waits any longer."""
        for key in list(self.by_key):
            self.resolve(key, Unanswered())
