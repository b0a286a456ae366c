"""What a batch brought: answers stored, refusals told, the rest asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from labelrisk.endpoints.batch_api.api import NOBODY, BatchApi, Outcome
from labelrisk.endpoints.batch_api.job import BatchJob
from labelrisk.endpoints.batch_api.pending import PendingCalls
from labelrisk.endpoints.endpoint import NoAnswer, RowRefused
from labelrisk.endpoints.request_asker import IN_A_ROW
from labelrisk.errors import LabelRiskError
from labelrisk.spending.budget import Budget

AT_ONCE = 1000  # answers that are stored before more are read


class BatchResults:
    """Fetches and stores what ended batches brought, one batch at a time: the files are large.

    check_first: as of Asker.
    """

    def __init__(self, budget: Budget, waiting: PendingCalls, check_first: Callable[[dict[str, Any]], bool]) -> None:
        self._budget = budget
        self._waiting = waiting
        self._check_first = check_first
        self._checked = False
        self._one = asyncio.Lock()

    def is_busy(self) -> bool:
        """Whether calls may soon come back or be asked."""
        return self._one.locked()

    async def read(self, job: BatchJob, api: BatchApi) -> None:
        """Wait for a batch, fetch and store; it is forgotten when all is on disk."""
        if not await job.ended(api):
            return
        try:
            await self._read(job, api)
        finally:
            self._waiting.free_capped()

    async def _read(self, job: BatchJob, api: BatchApi) -> None:
        async with self._one:
            contents = await job.contents(api)
            left, refused, number = dict(job.claims), 0, 0
            for content in contents:
                for key, outcome in api.outcomes(content):
                    if (bound := left.pop(key, None)) is None:  # stored by a run that was killed while it stored
                        continue
                    self._take(job, key, bound, outcome)
                    refused += isinstance(outcome, RowRefused)
                    number += 1
                    if number % AT_ONCE == 0:
                        await self._budget.flush()
            status = str(job.batch["status"])
            # what an ended batch did not get to is not charged; what a complete one left out may be
            absent = NoAnswer("no line", "missing", True) if status == "completed" else NoAnswer("no line", status)
            for key, bound in left.items():
                self._take(job, key, bound, absent)
            await self._budget.flush()
            await job.finish()
        if refused == len(job.claims) >= IN_A_ROW:
            self._budget.stop(
                LabelRiskError(
                    f"{api.where} refused all {refused:,} requests of a batch "
                    f"({next(reversed(self._waiting.refused.values()))}); check model, confidence and extra_body in "
                    "params.yaml"
                )
            )

    def _take(self, job: BatchJob, key: bytes, bound: float, outcome: Outcome) -> None:
        budget, waiting = self._budget, self._waiting
        asked = waiting.asked.get(key)
        call = asked.call if asked else job.file.call(key)
        if call is None:  # its claim stays, and with it the batch
            return
        if isinstance(outcome, dict):
            try:
                self._checked = self._checked or self._check_first(outcome)
            except LabelRiskError as error:
                budget.stop(error)
            waiting.resolve(key, budget.store(call, outcome, bound))
        elif isinstance(outcome, RowRefused):
            budget.settle(call, bound if outcome.filtered else 0.0)
            budget.counts.unpriced += outcome.filtered
            budget.counts.errors["refused"] += 1
            waiting.resolve(key, outcome)
        else:
            budget.settle(call, bound if outcome.maybe_paid else 0.0)
            budget.counts.errors[outcome.kind] += 1
            budget.counts.unpriced += outcome.maybe_paid
            if outcome.kind == NOBODY:
                told = f"a batch was refused ({outcome.reason}); check the key, its credit, model and base_url"
                budget.stop(LabelRiskError(f"annotators.{budget.name}: {told}"))
            waiting.retry(key, outcome)
