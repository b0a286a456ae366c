"""The money of one annotator: nothing is sent without a claim, no cap is exceeded, no answer is dropped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from labelrisk.cache.calls import CallCache, Caps, Reservation, Stored
from labelrisk.cache.templates import Call
from labelrisk.cache.writer import Writer
from labelrisk.errors import LabelRiskError
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending.batch_claims import abandoned, abandonment
from labelrisk.spending.prices import bound_of, cost_of, output_bound, price_of

BETWEEN_LOOKS = 0.25  # seconds between looks at what another process is asking


class Unanswered(Exception):
    """This call got no answer after all retries, or the asking has stopped."""


@dataclass
class RunCounts:
    """What one run did, for the progress line and the metrics."""

    cached: int = 0  # answers that the cache had
    answered: int = 0
    cost: float = 0.0  # of the answers of this run whose cost is known
    unpriced: int = 0  # answers of unknown cost, and requests without an answer that may have been charged
    errors: Counter[str] = field(default_factory=Counter)  # by kind
    models: Counter[str] = field(default_factory=Counter)  # that the endpoint says it answered with


class Budget:
    """Claims, caps and storing for one annotator."""

    def __init__(self, name: str, annotator: ChatSettings, cache: CallCache) -> None:
        self.counts = RunCounts()
        self.stopped: BaseException | None = None
        self.name = name
        self._price = price_of(annotator)
        self._caps = Caps(annotator.max_cost, annotator.max_requests)
        self._cache = cache
        self._writer = Writer(cache)
        self._seen: tuple[bytes, Stored | None] = (b"", None)
        self._open = 0  # claims whose cost is not settled
        self._held = 0  # of these, those that wait at a cap to be sent again
        self._settled = asyncio.Event()
        self.over = asyncio.Event()  # set once `stopped` is
        self.on_stop: Callable[[], None] = lambda: None  # called then

    def stop(self, reason: BaseException) -> None:
        """Send nothing more; what is in flight is still awaited and stored."""
        self.stopped = self.stopped or reason
        self.over.set()
        self._settled.set()
        self.on_stop()

    async def sleep(self, seconds: float) -> None:
        """Wait that long, or until the asking stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)

    def find(self, key: bytes) -> Stored | None:
        """The cache's answer."""
        stored = self._seen[1] if self._seen[0] == key else self._cache.find(key)
        self.counts.cached += stored is not None
        return stored

    def has(self, key: bytes) -> bool:
        """Whether the cache has an answer; one that it has is most often read next, and not looked up again."""
        if (stored := self._cache.find(key)) is not None:
            self._seen = (key, stored)
        return stored is not None

    def bound(self, call: Call, request: dict[str, Any]) -> float:
        """The most that a call can cost."""
        return bound_of(call.template.size(call.text), output_bound(request), self._price)

    async def claim(
        self,
        calls: Sequence[Call],
        bounds: Sequence[float],
        owner: str | None = None,
        also: Callable[[CallCache, list[Reservation]], None] = lambda cache, reservations: None,
    ) -> list[Reservation]:
        """Claim calls in one transaction, each at its upper bound; those after a reached cap are `capped`.

        also: what else is written in that transaction.
        """
        name, caps = self.name, self._caps
        self._check()

        def write(cache: CallCache) -> list[Reservation]:
            reserved = [
                cache.reserve(call.key, name, bound, caps, owner) for call, bound in zip(calls, bounds, strict=True)
            ]
            also(cache, reserved)
            return reserved

        reservations = await self._writer.submit(write, durable=owner is not None)
        self._open += sum(one.outcome == "granted" for one in reservations)
        self.counts.cached += sum(one.outcome == "found" for one in reservations)
        return reservations

    async def claim_one(self, call: Call, bound: float) -> Stored | None:
        """Claim a call, or get the answer that another process brought meanwhile.

        Raises Unanswered when the asking has stopped, as it does at a cap.
        """
        while True:
            self._settled.clear()
            (reservation,) = await self.claim([call], [bound])
            if reservation.outcome in ("granted", "found"):
                return reservation.stored
            if reservation.outcome == "busy":
                if other := await self.write(lambda cache: abandoned(cache, call.key)):
                    self.stop(abandonment(self.name, other))
                await self.sleep(BETWEEN_LOOKS)
            elif reservation.cap == "max_cost" and self._open:
                await self._settled.wait()  # what is in flight will cost less than its bound
            else:
                self.stop(self.capped(reservation.cap or ""))

    async def claim_again(self, call: Call, paid: float) -> None:
        """Send a claimed call once more, after an attempt that cost this at most.

        Raises Unanswered when the asking has stopped, as it does at a cap.
        """
        name, caps = self.name, self._caps

        def write(cache: CallCache) -> Reservation:
            cache.count(name, paid)
            return cache.reserve(call.key, name, 0.0, caps, again=True)

        try:
            self._check()
            while True:
                self._settled.clear()
                reservation = await self._writer.submit(write, durable=False)
                paid = 0.0  # is counted now
                if reservation.cap != "max_cost" or self.stopped or self._open <= self._held + 1:
                    break
                self._held += 1
                try:
                    await self._settled.wait()  # what is in flight will cost less than its bound
                finally:
                    self._held -= 1
            if reservation.outcome == "capped":
                self.stop(self.capped(reservation.cap or ""))
            self._check()
        except BaseException:
            self.settle(call, paid)
            raise

    @property
    def open(self) -> int:
        """Claims of this process that are not settled."""
        return self._open

    def adopt(self, claims: int) -> None:
        """Count claims that an earlier process made; negative for those that were given back."""
        self._open += claims
        self._settled.set()

    def settle(self, call: Call, cost: float, sent: bool = True) -> None:
        """Give a claim back without an answer, at a cost that may have been paid."""
        key, name = call.key, self.name
        self._on_disk(self._writer.submit(lambda cache: cache.settle(key, name, cost, sent), durable=True))

    def store(self, call: Call, response: dict[str, Any], bound: float) -> Stored:
        """Store an answer; it is on disk soon, and a failure to write it stops the asking."""
        usage = response.get("usage")
        cost = cost_of(usage, self._price)
        counts, key, name = self.counts, call.key, self.name
        counts.answered += 1
        counts.cost += cost or 0.0
        counts.unpriced += cost is None
        counts.models[str(response.get("model"))] += 1

        def write(cache: CallCache) -> None:
            cache.store(key, call.template, call.text, response, name, cost)
            cache.settle(key, name, bound if cost is None else cost)

        self._on_disk(self._writer.submit(write, durable=True))
        return Stored(response, cost)

    def _on_disk(self, future: asyncio.Future[None]) -> None:
        future.add_done_callback(self._ended)

    def _ended(self, future: asyncio.Future[None]) -> None:
        if error := future.exception():
            self.stop(error)
        self._open -= 1
        self._settled.set()

    async def flush(self) -> None:
        """Wait until all that was stored is on disk."""
        await self._writer.submit(lambda cache: None, durable=True)
        await asyncio.sleep(0)  # lets the last callbacks run

    def close(self) -> None:
        """End the writing."""
        self._writer.close()

    async def write(self, change: Any) -> Any:
        """A durable change of the caller's own."""
        return await self._writer.submit(change, durable=True)

    def _check(self) -> None:
        if self.stopped:
            raise Unanswered

    def capped(self, cap: str) -> LabelRiskError:
        """The sentence at a cap."""
        spent = self._cache.spending(self.name)
        limit = self._caps.cost if cap == "max_cost" else self._caps.requests
        return LabelRiskError(
            f"annotators.{self.name}: {cap} {limit:g} is reached: {spent.requests:,} requests sent and at most "
            f"{spent.cost:.4f} spent here so far; every answer is stored: raise {cap} in params.yaml and run again to "
            "ask for the rest only"
        )
