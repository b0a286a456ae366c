"""What a batch brought: answers stored, refusals told, the rest asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from labelrisk.batches.api import NOBODY, BatchApi, Outcome
from labelrisk.batches.flight import Flight
from labelrisk.batches.waiting import Waiting
from labelrisk.endpoints.asking import IN_A_ROW
from labelrisk.endpoints.endpoint import NoAnswer, RowRefused
from labelrisk.endpoints.purse import Purse
from labelrisk.errors import LabelRiskError

AT_ONCE = 1000  # answers that are stored before more are read


class Reading:
    """Fetches and stores what ended batches brought, one batch at a time: the files are large.

    check_first: as of Asker.
    """

    def __init__(self, purse: Purse, waiting: Waiting, check_first: Callable[[dict[str, Any]], bool]) -> None:
        self._purse = purse
        self._waiting = waiting
        self._check_first = check_first
        self._checked = False
        self._one = asyncio.Lock()

    def is_busy(self) -> bool:
        """Whether calls may soon come back or be asked."""
        return self._one.locked()

    async def read(self, flight: Flight, api: BatchApi) -> None:
        """Wait for a batch, fetch and store; it is forgotten when all is on disk."""
        if not await flight.ended(api):
            return
        try:
            await self._read(flight, api)
        finally:
            self._waiting.free_capped()

    async def _read(self, flight: Flight, api: BatchApi) -> None:
        async with self._one:
            contents = await flight.contents(api)
            left, refused, number = dict(flight.claims), 0, 0
            for content in contents:
                for key, outcome in api.outcomes(content):
                    if (bound := left.pop(key, None)) is None:  # stored by a run that was killed while it stored
                        continue
                    self._take(flight, key, bound, outcome)
                    refused += isinstance(outcome, RowRefused)
                    number += 1
                    if number % AT_ONCE == 0:
                        await self._purse.flush()
            status = str(flight.batch["status"])
            # what an ended batch did not get to is not charged; what a complete one left out may be
            absent = NoAnswer("no line", "missing", True) if status == "completed" else NoAnswer("no line", status)
            for key, bound in left.items():
                self._take(flight, key, bound, absent)
            await self._purse.flush()
            await flight.finish()
        if refused == len(flight.claims) >= IN_A_ROW:
            self._purse.stop(
                LabelRiskError(
                    f"{api.where} refused all {refused:,} requests of a batch "
                    f"({next(reversed(self._waiting.refused.values()))}); check model, confidence and extra_body in "
                    "params.yaml"
                )
            )

    def _take(self, flight: Flight, key: bytes, bound: float, outcome: Outcome) -> None:
        purse, waiting = self._purse, self._waiting
        asked = waiting.asked.get(key)
        call = asked.call if asked else flight.record.call(key)
        if call is None:  # its claim stays, and with it the batch
            return
        if isinstance(outcome, dict):
            try:
                self._checked = self._checked or self._check_first(outcome)
            except LabelRiskError as error:
                purse.stop(error)
            waiting.resolve(key, purse.store(call, outcome, bound))
        elif isinstance(outcome, RowRefused):
            purse.settle(call, bound if outcome.filtered else 0.0)
            purse.counts.unpriced += outcome.filtered
            purse.counts.errors["refused"] += 1
            waiting.resolve(key, outcome)
        else:
            purse.settle(call, bound if outcome.maybe_paid else 0.0)
            purse.counts.errors[outcome.kind] += 1
            purse.counts.unpriced += outcome.maybe_paid
            if outcome.kind == NOBODY:
                told = f"a batch was refused ({outcome.reason}); check the key, its credit, model and base_url"
                purse.stop(LabelRiskError(f"annotators.{purse.name}: {told}"))
            waiting.retry(key, outcome)
