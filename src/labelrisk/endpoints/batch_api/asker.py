"""Asking by the Batch API: what is asked at about the same time goes up as one file and is answered within a day.

A batch outlives the process that made it.  Its requests are kept in a file and claimed in its name before anything is
sent, so that the next run can fetch its answers, whenever this one dies.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Any

from labelrisk.cache.calls import BATCH_OWNER, CallCache, Reservation, Stored
from labelrisk.cache.templates import Call, RequestTemplate
from labelrisk.endpoints.batch_api.api import BatchApi
from labelrisk.endpoints.batch_api.job import GROWTH, BatchJob
from labelrisk.endpoints.batch_api.pending import MOST_REQUESTS, BackgroundTasks, PendingCall, PendingCalls
from labelrisk.endpoints.batch_api.results import BatchResults
from labelrisk.endpoints.endpoint import endpoint_name
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending import batch_claims, batch_files
from labelrisk.spending.budget import BETWEEN_LOOKS, Budget, Unanswered

INTERRUPTED = "interrupted: batches under way go on at the endpoint; run again to fetch their answers"
QUIET = 0.1  # seconds without a new call after which those that wait go up
LONGEST_LOOK = 10.0  # seconds between looks at what other processes are asking


class BatchAsker:
    """Answers calls from the cache where it has them, else asks in batches; fetches those of earlier runs, too.

    check_first: as of Asker.
    """

    def __init__(
        self,
        name: str,
        annotator: ChatSettings,
        settings: AnnotateSettings,
        cache: CallCache,
        check_first: Callable[[dict[str, Any]], bool],
    ) -> None:
        self.budget = Budget(name, annotator, cache)
        self._name = name
        self._endpoint = endpoint_name(annotator)
        self._connect: Callable[[], BatchApi] = lambda: BatchApi(name, annotator, settings)
        self._connected: BatchApi | None = None  # a key is needed only where something is left to ask
        self._folder = batch_files.folder_of(cache)
        self._waiting = PendingCalls(settings.retries)
        self._reading = BatchResults(self.budget, self._waiting, check_first)
        self._leaving = asyncio.Event()
        self._errands = BackgroundTasks(self.budget)
        self._helpers = [asyncio.create_task(work) for work in (self._gather(), self._end())]
        self._errands.start(self._resume())

    async def ask(self, key: bytes, template: RequestTemplate, text: str) -> Stored:
        """The answer to a call; two callers who ask the same share one request.

        Raises RowRefused, Unanswered.
        """
        if stored := self.budget.find(key):
            return stored
        if key in self._waiting.refused:
            raise self._waiting.refused[key]
        if self.budget.stopped:
            raise Unanswered
        return await asyncio.shield(self._waiting.answer(Call(key, template, text)))

    async def close(self) -> None:
        """Wait until everything that has come is on disk, and hang up; batches go on without this process."""
        self._leaving.set()
        for helper in self._helpers:
            helper.cancel()
        await self._errands.end()
        await self.budget.flush()
        self.budget.close()
        if self._connected:
            await self._connected.close()

    @property
    def _api(self) -> BatchApi:
        self._connected = self._connected or self._connect()
        return self._connected

    async def _end(self) -> None:
        await self.budget.over.wait()
        self._waiting.end()

    async def _gather(self) -> None:
        """Make batches of what waits: whenever it becomes quiet, or enough."""
        while True:
            await asyncio.sleep(QUIET)
            quiet = self._waiting.quiet() >= QUIET and not self._reading.is_busy()
            while self._waiting and (quiet or len(self._waiting) >= MOST_REQUESTS):
                self._errands.start(self._submit(self._waiting.taken()))

    async def _submit(self, asked: Sequence[PendingCall]) -> None:
        api = self._api  # a missing key is told before anything is claimed
        asked = list({one.call.key: one for one in asked if not one.answer.done()}.values())  # it may wait twice
        if busy := await self._busy(asked):
            self._errands.start(self._await_others(list(busy)))
        if not (asked := [one for one in asked if one not in busy]):
            return
        token, calls = secrets.token_hex(8), [one.call for one in asked]
        file = await asyncio.to_thread(batch_files.BatchFile.written, self._folder, token, calls)

        def add(cache: CallCache, reservations: list[Reservation]) -> None:
            if granted := sum(one.outcome == "granted" for one in reservations):
                batch_claims.add_row(cache, token, self._name, granted)

        try:
            bounds = await asyncio.to_thread(lambda: [self.budget.bound(call, call.request()) for call in calls])
            reservations = await self.budget.claim(calls, bounds, BATCH_OWNER + token, add)
            granted = self._granted(asked, reservations)
            if not granted:
                file.remove()
                return
            job = BatchJob(token, file, self.budget, self._leaving)
            job.claims = {call.key: bound for call, bound in zip(calls, bounds, strict=True) if call.key in granted}
            await job.create(api, [call for call in calls if call.key in granted])
            await self._reading.read(job, api)
        finally:
            file.close()

    def _granted(self, asked: Sequence[PendingCall], reservations: Sequence[Reservation]) -> set[bytes]:
        """The keys that may be sent; the others wait for what they lack."""
        granted: set[bytes] = set()
        busy: list[PendingCall] = []
        caps = [one.cap for one in reservations if one.cap]
        for one, reservation in zip(asked, reservations, strict=True):
            if reservation.stored:
                self._waiting.resolve(one.call.key, reservation.stored)
            elif reservation.outcome == "granted":
                granted.add(one.call.key)
            elif reservation.cap:
                self._waiting.add_capped(one)
            else:
                busy.append(one)
        if busy:
            self._errands.start(self._await_others(busy))
        if (
            caps and not self.budget.open
        ):  # else they are tried again when a batch has ended, which may leave money over
            self.budget.stop(self.budget.capped(caps[0] or ""))
        return granted

    async def _busy(self, asked: Sequence[PendingCall]) -> set[PendingCall]:
        keys = [one.call.key for one in asked]
        claimed = await self.budget.write(lambda cache: batch_claims.claimed(cache, keys))
        return {one for one in asked if one.call.key in claimed}

    async def _await_others(self, asked: Sequence[PendingCall]) -> None:
        """Wait for answers to what others are asking; ask what they give up."""
        pause = BETWEEN_LOOKS
        while asked := [one for one in asked if not one.answer.done()]:
            await asyncio.sleep(pause)
            if self.budget.stopped:
                return
            pause = min(LONGEST_LOOK, pause * GROWTH)
            await self._resume()
            busy = await self._busy(asked)
            for one in asked:
                if one not in busy and not one.answer.done():
                    if stored := self.budget.find(one.call.key):
                        self._waiting.resolve(one.call.key, stored)
                    else:
                        self._waiting.add([one])
            asked = list(busy)
            if asked:
                other = await self.budget.write(lambda cache, key=asked[0].call.key: batch_claims.abandoned(cache, key))
                if other not in (None, self._name):
                    self.budget.stop(batch_claims.abandonment(self._name, other))

    async def _resume(self) -> None:
        """Take on the batches of this annotator that no process fetches."""
        known = await self.budget.write(batch_claims.open_rows)
        batch_files.remove_left_behind(self._folder, {token for token, _ in known})
        for token in [token for token, annotator in known if annotator == self._name]:
            try:
                file = batch_files.BatchFile.taken(self._folder, token)
            except FileNotFoundError:
                if number := await self.budget.write(lambda cache, token=token: batch_claims.give_up_row(cache, token)):
                    gone = f"{self._folder / token}{batch_files.ENDING} is gone"
                    print(f"{gone}: its {number:,} requests count as paid and are asked again", file=sys.stderr)
                continue
            if file and file.endpoint() != self._endpoint:  # its time comes when that base_url is set again
                file.close()
            elif file:
                self._errands.start(self._resumed(BatchJob(token, file, self.budget, self._leaving)))

    async def _resumed(self, job: BatchJob) -> None:
        try:
            if await job.look_up(self._api):
                await self._reading.read(job, self._api)
        finally:
            job.file.close()
            self._waiting.free_capped()
