"""One batch on its way: created once, found again, looked at until it has ended, its files fetched."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from labelrisk.cache.templates import Call
from labelrisk.endpoints.batch_api.api import URL, Batch, BatchApi, EndpointSilent
from labelrisk.endpoints.batch_api.upload import upload_of
from labelrisk.endpoints.failures import NoAnswer, NotThere, RowRefused
from labelrisk.errors import LabelRiskError
from labelrisk.spending import batch_claims, batch_files
from labelrisk.spending.budget import Budget, Unanswered

FIRST_POLL = 1.0  # seconds between looks at a batch; grows ...
LONGEST_POLL = 60.0  # ... to this
GROWTH = 1.5
APPEARS = 30.0  # seconds after which a batch that was created stands in the endpoint's list
BETWEEN_LINES = 60.0  # seconds between lines on a batch whose status stays
ENDED = ("completed", "expired", "cancelled", "failed")
Result = TypeVar("Result")


class BatchJob:
    """A batch, its file and its claims.

    closing: set when nobody waits for answers any more.  All that waits raises Unanswered when the asking has stopped;
    the batch stays as it is then, and the next run goes on from there.
    """

    def __init__(self, token: str, file: batch_files.BatchFile, budget: Budget, closing: asyncio.Event) -> None:
        self.token = token
        self.file = file
        self.claims: dict[bytes, float] = {}
        self.batch: Batch = {}
        self._budget = budget
        self._closing = closing
        self._printed = ("", 0.0)  # the last status, and when

    async def create(self, api: BatchApi, calls: Sequence[Call]) -> None:
        """Submit the calls.

        Raises LabelRiskError when the endpoint does not take them; their claims are given back then.
        """
        token, folder, started = self.token, self.file.path.parent, time.monotonic()
        while not self.batch:
            try:
                with await asyncio.to_thread(upload_of, calls, folder, URL) as upload:
                    file_id = await self._unless_stopped(api.upload(token, upload))
                self.file.touch()
                self.batch = await self._unless_stopped(api.create(file_id, token))
            except NoAnswer as error:  # it may be there all the same
                if time.monotonic() - started > api.patience:
                    raise api.silent(error) from None
                await self._find(api, time.time())
            except EndpointSilent:
                raise
            except (RowRefused, LabelRiskError) as error:
                await self.release()
                if isinstance(error, LabelRiskError):
                    raise
                raise LabelRiskError(
                    f"{api.description} refused a batch of {len(calls):,} requests ({error}); check extra_body in "
                    "params.yaml or set mode: requests"
                ) from None
        await self._note_id()

    async def look_up(self, api: BatchApi) -> bool:
        """Find the batch of an earlier process; False when its answers are stored or nothing was submitted."""
        token = self.token
        row, self.claims = await self._budget.write(
            lambda cache: (batch_claims.open_batch(cache, token), batch_claims.claims_of_batch(cache, token))
        )
        if row is None:
            self.file.remove()
            return False
        self._budget.adopt(len(self.claims))
        batch, submitted = row
        if batch is not None:
            self.batch = {"id": batch}
            self.batch = await self._unless_missing(api.get(batch))
            return True
        await self._find(api, submitted)
        if not self.batch:
            await self.release()
            return False
        await self._note_id()
        return True

    async def wait_until_ended(self, api: BatchApi) -> bool:
        """Wait until the batch has ended; False when it goes on and nobody waits for it.

        Raises LabelRiskError when it failed as a whole.
        """
        pause = FIRST_POLL
        while self.batch.get("status") not in ENDED:
            self._print_status()
            if self._closing.is_set():
                self._print("goes on and nobody waits for it: run again later to fetch its answers")
                return False
            await self._pause(pause)
            pause = min(LONGEST_POLL, pause * GROWTH)
            self.batch = await self._unless_missing(api.get(self.batch["id"]))
        self._print_status()
        if self.batch["status"] != "failed":
            return True
        await self.release()
        errors = (self.batch.get("errors") or {}).get("data") or [{}]
        reasons = "; ".join(str(error.get("message") or error.get("code") or "no reason") for error in errors[:3])
        raise LabelRiskError(
            f"{api.description}: batch {self.batch['id']} failed ({api.api_key.hidden_in_message(reasons)}); nothing "
            "of it is paid: mend what it says, then run again"
        )

    async def fetch_files(self, api: BatchApi) -> list[bytes]:
        """The files of answers and of errors."""
        ids = [self.batch.get(word) for word in ("output_file_id", "error_file_id")]
        return [await self._unless_missing(api.content(file_id)) for file_id in ids if file_id]

    async def finish(self) -> None:
        """Forget the batch, unless an answer of it could not be stored."""
        if await self._budget.write(lambda cache: batch_claims.end_batch(cache, self.token)):
            self.file.remove()

    async def release(self) -> None:
        """Give all claims back: nothing was answered."""
        await self._budget.write(lambda cache: batch_claims.release_batch(cache, self.token))
        self._budget.adopt(-len(self.claims))
        self.file.remove()

    async def _unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of some work, which is left when the asking stops."""
        task, over = asyncio.ensure_future(work), asyncio.ensure_future(self._budget.over.wait())
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Unanswered
            return task.result()
        finally:
            over.cancel()
            task.cancel()
            await asyncio.gather(task, over, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless there is nothing to wait for any more."""
        with suppress(TimeoutError):
            await self._unless_stopped(asyncio.wait_for(self._closing.wait(), seconds))

    async def _find(self, api: BatchApi, since: float) -> None:
        """Look for the batch in the endpoint's list; one just created may not stand there yet."""
        while not self.batch:
            in_time = self.file.age() < APPEARS
            found = await self._unless_stopped(api.find(self.token, since))
            self.batch = found or {}
            if self.batch or not in_time:
                return
            await self._unless_stopped(asyncio.sleep(min(FIRST_POLL, APPEARS / 4)))

    async def _note_id(self) -> None:
        token, batch = self.token, str(self.batch["id"])
        await self._budget.write(lambda cache: batch_claims.note_batch_id(cache, token, batch))

    async def _unless_missing(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await self._unless_stopped(work)
        except NotThere as error:
            raise LabelRiskError(
                f"batch {self.batch['id']} is not there any more ({error}): use the key that it was submitted with, or "
                f"delete {self.file.path} to count its {len(self.claims):,} requests as paid and ask them again"
            ) from None

    def _print_status(self) -> None:
        """A line when the status changes, and now and then."""
        status, (before, at) = str(self.batch.get("status")), self._printed
        if status == before and time.monotonic() - at < BETWEEN_LINES:
            return
        self._printed = (status, time.monotonic())
        counts = self.batch.get("request_counts") or {}
        self._print(f"{status}, {counts.get('completed', 0):,} of {counts.get('total') or len(self.claims):,} requests")

    def _print(self, text: str) -> None:
        print(f"batch {self.batch['id']}: {text}", file=sys.stderr)
