"""Asking one endpoint request by request: each call once, as fast as the endpoint allows, retried within bounds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from labelrisk.cache.calls import CallCache, Stored
from labelrisk.cache.templates import Call, RequestTemplate
from labelrisk.endpoints.endpoint import Endpoint, NoAnswer, RowRefused
from labelrisk.endpoints.rate_limiter import RateLimiter
from labelrisk.errors import LabelRiskError
from labelrisk.settings.annotate import AnnotateSettings
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending.budget import Budget, Unanswered

IN_A_ROW = 20  # requests refused, or left unanswered after all retries, after which the endpoint is not asked further
BYTES_PER_TOKEN = 4  # about; corrected by the usage of each answer
FIRST_RETRY = 0.5  # seconds; doubles
LONGEST_RETRY = 30.0


class Asker:
    """Answers calls from the cache where it has them, else asks.

    check_first: given answers until it is content (True); raises LabelRiskError when one shows that the others are not
    worth asking.
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
        self._annotator = annotator
        self._settings = settings
        self._pace = RateLimiter(settings.concurrency, annotator.requests_per_minute, annotator.tokens_per_minute)
        self.budget.on_stop = self._pace.let_go
        self._jitter = np.random.default_rng(0)
        self._check_first = check_first
        self._checked = False
        self._endpoint: Endpoint | None = None  # a key is needed only where something is left to ask
        self._pending: dict[bytes, asyncio.Future[Stored]] = {}
        self._first = asyncio.Lock()
        self._opened = False
        self._failed_in_a_row = 0
        self._refused_in_a_row = 0
        self._silent_since = 0.0  # the first failure after the last answer; 0: there is none

    async def ask(self, key: bytes, template: RequestTemplate, text: str) -> Stored:
        """The answer to a call; two callers who ask the same share one request.

        Raises RowRefused, Unanswered.
        """
        if stored := self.budget.find(key):
            return stored
        if key in self._pending:
            return await asyncio.shield(self._pending[key])
        self._pending[key] = future = asyncio.get_running_loop().create_future()
        try:
            stored = await self._asked(Call(key, template, text))
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # read: nobody else may be waiting
            raise
        finally:
            del self._pending[key]
        future.set_result(stored)
        return stored

    async def close(self) -> None:
        """Wait until everything is on disk, and hang up."""
        try:
            await self.budget.flush()
        finally:
            self.budget.close()
            if self._endpoint is not None:
                await self._endpoint.close()

    async def _asked(self, call: Call) -> Stored:
        """The first call goes alone, so that a wrong endpoint costs one request."""
        if self._opened:
            return await self._new(call)
        async with self._first:
            if not self._opened and not self.budget.stopped:
                stored = await self._new(call)
                self._opened = True
                return stored
        return await self._new(call)

    async def _new(self, call: Call) -> Stored:
        request = call.request()
        bound = self.budget.bound(call, request)
        if stored := await self.budget.claim_one(call, bound):
            return stored
        try:
            return await self._answered(call, request, bound)
        except asyncio.CancelledError:  # perhaps in flight: it may be paid
            self.budget.settle(call, bound)
            raise

    async def _answered(self, call: Call, request: dict[str, Any], bound: float) -> Stored:
        failures = 0
        while True:
            sent = await self._pace.enter(about := call.template.size(call.text) / BYTES_PER_TOKEN)
            try:
                response = await self._attempt(call, request, about)
            except NoAnswer as error:
                self.budget.counts.errors[error.kind] += 1
                self.budget.counts.unpriced += error.maybe_paid
                self._silent_since = self._silent_since or max(sent, self._pace.answered_at)
                failures += self._counts_against(error, sent)
                await self._retry(call, error, failures, bound)
            else:
                stored = self.budget.store(call, response, bound)
                self._check(response)
                return stored

    async def _attempt(self, call: Call, request: dict[str, Any], about: float) -> dict[str, Any]:
        """Send once.  The claim is given back here for every failure but NoAnswer."""
        try:
            if self.budget.stopped:  # while it waited for its turn
                raise Unanswered
            if self._endpoint is None:
                self._endpoint = self._connected()
            response, headers = await self._endpoint.ask(request)
        except RowRefused as error:
            # a content filter may charge for the prompt, and says something of the text, not of the request
            bound = self.budget.bound(call, request) if error.filtered else 0.0
            self.budget.settle(call, bound)
            self.budget.counts.unpriced += error.filtered
            self.budget.counts.errors["refused"] += 1
            self._refused_in_a_row += not error.filtered
            if self._refused_in_a_row >= IN_A_ROW:
                self.budget.stop(self._refusal(str(error)))
            raise
        except LabelRiskError as error:
            self.budget.settle(call, 0.0)
            self.budget.stop(error)
            raise Unanswered from None
        except Unanswered:
            self.budget.settle(call, 0.0, sent=False)
            raise
        finally:
            self._pace.leave()
        self._failed_in_a_row = self._refused_in_a_row = 0
        self._silent_since = 0.0
        used = (response.get("usage") or {}).get("total_tokens")
        self._pace.answered(headers, about - used if used is not None else 0.0)
        return response

    def _check(self, response: dict[str, Any]) -> None:
        try:
            self._checked = self._checked or self._check_first(response)
        except LabelRiskError as error:
            self.budget.stop(error)

    def _connected(self) -> Endpoint:
        try:
            return Endpoint(self._annotator, self._settings, self._name)
        except LabelRiskError as error:
            self.budget.stop(error)
            raise Unanswered from None

    def _counts_against(self, error: NoAnswer, sent: float) -> bool:
        """Slow all down where the endpoint as a whole has a problem; say whether the failure is the call's own."""
        if error.kind == "rate limit":
            self._pace.refused(sent, error.wait)
            return False
        if error.wait is not None:
            self._pace.refused(sent, error.wait)
        elif error.kind in ("no connection", "connection lost") and self._opened and self._pace.answered_at < sent:
            self._pace.unreachable(sent)
            return error.kind == "connection lost"  # a request that did arrive may be what breaks the connection
        return True

    async def _retry(self, call: Call, error: NoAnswer, failures: int, bound: float) -> None:
        """Return when the call may be sent again.

        Raises Unanswered when it may not: after `retries` failures of its own, or when the endpoint seems gone.
        """
        paid = bound if error.maybe_paid else 0.0
        silent = time.monotonic() - self._silent_since
        if silent > self._settings.patience:
            self.budget.stop(self._gone(f"no answer for {silent:.0f} seconds: {error.reason}"))
        if failures > self._settings.retries:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= IN_A_ROW or not self._opened:
                self.budget.stop(self._gone(error.reason))
            self.budget.settle(call, paid)
            raise Unanswered(error.reason)
        if failures:
            pause = min(LONGEST_RETRY, FIRST_RETRY * 2 ** (failures - 1))
            await self.budget.sleep(pause * (0.5 + self._jitter.random() / 2))
        await self.budget.claim_again(call, paid)

    def _gone(self, reason: str) -> LabelRiskError:
        return LabelRiskError(
            f"annotators.{self._name} gives no answers ({reason}); every answer so far is stored: check the endpoint "
            "and run again to ask for the rest only"
        )

    def _refusal(self, reason: str) -> LabelRiskError:
        return LabelRiskError(
            f"annotators.{self._name}: the endpoint refused {IN_A_ROW} requests in a row ({reason}); "
            "every answer so far is stored: check model, confidence and extra_body in params.yaml"
        )
