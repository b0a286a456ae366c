"""Asking by the Batch API: what is asked at about the same time goes up as one file and is answered within a day.

A batch outlives the process that made it.  Its requests are kept in a file and claimed in its name before anything is
sent, so that the next run can fetch its answers, whenever this one dies.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from labelrisk.cache.calls import CallCache, Stored
from labelrisk.cache.templates import Call, RequestTemplate
from labelrisk.endpoints.asker import CheckFirst
from labelrisk.endpoints.batch_api.api import BatchApi
from labelrisk.endpoints.batch_api.background_tasks import BackgroundTasks
from labelrisk.endpoints.batch_api.job import GROWTH, BatchJob
from labelrisk.endpoints.batch_api.pending_calls import MOST_REQUESTS, PendingCall, PendingCalls
from labelrisk.endpoints.batch_api.results import BatchResults
from labelrisk.endpoints.batch_api.unattended_batches import unattended_batches
from labelrisk.endpoints.endpoint import endpoint_name
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending import batch_claims, batch_files
from labelrisk.spending.budget import BETWEEN_LOOKS, Budget, Unanswered
from labelrisk.spending.ledger import Reservation

QUIET = 0.1  # seconds without a new call after which those that wait go up
LONGEST_LOOK = 10.0  # seconds between looks at what other processes are asking


class BatchAsker:
    """Answers calls from the cache where it has them, else asks in batches; fetches those of earlier runs, too."""

    interrupted: ClassVar = "interrupted: batches under way go on at the endpoint; run again to fetch their answers"

    def __init__(
        self,
        name: str,
        annotator: ChatSettings,
        settings: AnnotateSettings,
        cache: CallCache,
        check_first: CheckFirst,
    ) -> None:
        self.budget = Budget(name, annotator, cache)
        self._name = name
        self._endpoint = endpoint_name(annotator)
        self._connect: Callable[[], BatchApi] = lambda: BatchApi(name, annotator, settings)
        self._connected: BatchApi | None = None  # a key is needed only where something is left to ask
        self._folder = batch_files.batch_folder(cache)
        self._pending = PendingCalls(settings.retries)
        self._results = BatchResults(self.budget, self._pending, check_first)
        self._closing = asyncio.Event()
        self._background_tasks = BackgroundTasks(self.budget)
        self._endless_tasks = [asyncio.create_task(work) for work in (self._make_batches(), self._await_stop())]
        self._background_tasks.start(self._resume_unattended())

    async def ask(self, key: bytes, template: RequestTemplate, text: str) -> Stored:
        """The answer to a call; two callers who ask the same share one request.

        Raises RowRefused, Unanswered.
        """
        if stored := self.budget.find(key):
            return stored
        if key in self._pending.refused:
            raise self._pending.refused[key]
        if self.budget.stopped:
            raise Unanswered
        return await asyncio.shield(self._pending.answer_to(Call(key, template, text)))

    async def close(self) -> None:
        """Wait until everything that has come is on disk, and hang up; batches go on without this process."""
        self._closing.set()
        for task in self._endless_tasks:
            task.cancel()
        await self._background_tasks.wait()
        await self.budget.flush()
        self.budget.close()
        if self._connected:
            await self._connected.close()

    @property
    def _api(self) -> BatchApi:
        self._connected = self._connected or self._connect()
        return self._connected

    async def _await_stop(self) -> None:
        await self.budget.over.wait()
        self._pending.give_up_all()

    async def _make_batches(self) -> None:
        """Make batches of what waits: whenever it becomes quiet, or enough."""
        while True:
            await asyncio.sleep(QUIET)
            quiet = self._pending.seconds_since_added() >= QUIET and not self._results.is_busy()
            while self._pending and (quiet or len(self._pending) >= MOST_REQUESTS):
                self._background_tasks.start(self._submit(self._pending.take_batch()))

    async def _submit(self, pending: Sequence[PendingCall]) -> None:
        api = self._api  # a missing key is an error before anything is claimed
        pending = list({one.call.key: one for one in pending if not one.answer.done()}.values())  # it may wait twice
        if busy := await self._busy(pending):
            self._background_tasks.start(self._await_others(list(busy)))
        if not (pending := [one for one in pending if one not in busy]):
            return
        token, calls = secrets.token_hex(8), [one.call for one in pending]
        file = await asyncio.to_thread(batch_files.BatchFile.create, self._folder, token, calls)
        try:
            bounds = await asyncio.to_thread(lambda: [self.budget.bound(call, call.request()) for call in calls])
            reservations = await self.budget.claim(calls, bounds, token)
            granted = self._granted(pending, reservations)
            if not granted:
                file.remove()
                return
            job = BatchJob(token, file, self.budget, self._closing)
            job.claims = {call.key: bound for call, bound in zip(calls, bounds, strict=True) if call.key in granted}
            await job.create(api, [call for call in calls if call.key in granted])
            await self._results.read(job, api)
        finally:
            file.close()

    def _granted(self, pending: Sequence[PendingCall], reservations: Sequence[Reservation]) -> set[bytes]:
        """The keys that may be sent; the others wait for what they lack."""
        granted: set[bytes] = set()
        busy: list[PendingCall] = []
        capped = [one for one in reservations if one.cap]
        for one, reservation in zip(pending, reservations, strict=True):
            if reservation.stored:
                self._pending.resolve(one.call.key, reservation.stored)
            elif reservation.outcome == "granted":
                granted.add(one.call.key)
            elif reservation.cap:
                self._pending.add_capped(one)
            else:
                busy.append(one)
        if busy:
            self._background_tasks.start(self._await_others(busy))
        if capped and not self.budget.open:  # else tried again when a batch has ended, which may leave money over
            self.budget.stop_at_cap(capped[0])
        return granted

    async def _busy(self, pending: Sequence[PendingCall]) -> set[PendingCall]:
        keys = [one.call.key for one in pending]
        claimed = await self.budget.write(lambda cache: batch_claims.claimed(cache, keys))
        return {one for one in pending if one.call.key in claimed}

    async def _await_others(self, pending: Sequence[PendingCall]) -> None:
        """Wait for answers to what others are asking; ask what they give up."""
        pause = BETWEEN_LOOKS
        while pending := [one for one in pending if not one.answer.done()]:
            await asyncio.sleep(pause)
            if self.budget.stopped:
                return
            pause = min(LONGEST_LOOK, pause * GROWTH)
            await self._resume_unattended()
            busy = await self._busy(pending)
            for one in pending:
                if one not in busy and not one.answer.done():
                    if stored := self.budget.find(one.call.key):
                        self._pending.resolve(one.call.key, stored)
                    else:
                        self._pending.add([one])
            pending = list(busy)
            if pending:
                find_other = partial(batch_claims.annotator_of_unfetched_batch, key=pending[0].call.key)
                other = await self.budget.write(find_other)
                if other not in (None, self._name):
                    self.budget.stop(batch_claims.unfetched_batch_error(self._name, other))

    async def _resume_unattended(self) -> None:
        """Take on the batches of this annotator that no process fetches."""
        async for job in unattended_batches(self._folder, self._endpoint, self.budget, self._closing):
            self._background_tasks.start(self._go_on_with(job))

    async def _go_on_with(self, job: BatchJob) -> None:
        try:
            if await job.look_up(self._api):
                await self._results.read(job, self._api)
        finally:
            job.file.close()
            self._pending.retry_capped()
