"""How fast an endpoint lets itself be asked: as many requests at once as it takes, pauses for all when it says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from labelrisk.endpoints.rate_limit_headers import remaining_requests

LESS = 0.5  # requests at once given up for each refusal for speed ...
MORE = 0.125  # ... and regained for each answer: both hold each other at one refusal in five
FIRST_PAUSE = 0.1  # seconds after a refusal that names none; doubles while nothing is answered
LONGEST_PAUSE = 60.0
UNREACHABLE_PAUSE = 0.5  # seconds until an endpoint that can't be reached is tried again; doubles
JITTER = 0.25  # of a pause, so that processes that were refused together don't come back together
BURST_SECONDS = 5.0  # of a stated rate that may be used at once


class Bucket:
    """A rate per minute: fills all the time, holds BURST_SECONDS of it."""

    def __init__(self, per_minute: float | None) -> None:
        self._rate = (per_minute or 0.0) / 60
        self._capacity = max(1.0, self._rate * BURST_SECONDS)
        self._level = self._capacity
        self._since = time.monotonic()

    def wait(self, amount: float) -> float:
        """Seconds until the amount is there; more than the bucket holds may go when it is full."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        self._level = min(self._capacity, self._level + (now - self._since) * self._rate)
        self._since = now
        return max(0.0, (min(amount, self._capacity) - self._level) / self._rate)

    def take(self, amount: float) -> None:
        """Use the amount; negative gives back."""
        if self._rate:
            self._level -= amount


class RateLimiter:
    """The limits of one endpoint as far as they are stated, stand in its headers, or show in its refusals."""

    def __init__(self, concurrency: int, per_minute: int | None, tokens_per_minute: int | None, seed: int = 0) -> None:
        self.limit = float(concurrency)
        self._concurrency = concurrency
        self._in_flight = 0
        self._requests = Bucket(per_minute)
        self._tokens = Bucket(tokens_per_minute)
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Event()
        self._waiting_ended = False
        self._paused_from = 0.0
        self._paused_until = 0.0
        self._refused_in_a_row = 0
        self._unreachable_in_a_row = 0
        self._remaining: float | None = None  # requests that the headers still allow ...
        self._remaining_until = 0.0  # ... until then
        self._jitter = np.random.default_rng(seed)
        self.answered_at = time.monotonic()  # the last answer, or the start

    async def acquire(self, tokens: float) -> float:
        """Wait until a request of about that many tokens may be sent; returns when it is."""
        async with self._one_at_a_time:
            while True:
                wait = max(self._pause(), self._requests.wait(1), self._tokens.wait(tokens))
                free = self._in_flight < (1 if self._unreachable_in_a_row else int(self.limit))
                if self._waiting_ended or (wait <= 0 and free):
                    break
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait if wait > 0 else None)
            self._in_flight += 1
            self._requests.take(1)
            self._tokens.take(tokens)
            if self._remaining is not None:
                self._remaining -= 1
            return time.monotonic()

    def end_waiting(self) -> None:
        """Let all that wait through: nothing will be sent any more."""
        self._waiting_ended = True
        self._changed.set()

    def release(self) -> None:
        """A request has ended, however."""
        self._in_flight -= 1
        self._changed.set()

    def answered(self, headers: Mapping[str, str], tokens_too_many: float) -> None:
        """The endpoint answered: it can be reached, and perhaps takes more at once."""
        self.answered_at = time.monotonic()
        self._refused_in_a_row = self._unreachable_in_a_row = 0
        self.limit = min(float(self._concurrency), self.limit + MORE)
        self._tokens.take(-tokens_too_many)
        if allowed := remaining_requests(headers):
            self._remaining, self._remaining_until = allowed[0], time.monotonic() + allowed[1]

    def refused(self, sent: float, retry_after: float | None) -> None:
        """A request that was sent then was refused for speed: all wait, and fewer go at once."""
        self.limit = max(1.0, self.limit - LESS)
        now = time.monotonic()
        if retry_after is not None:
            self._pause_until(now + retry_after * (1 + JITTER * self._jitter.random()))
        elif sent >= self._paused_from:  # those sent before the pause are the same refusal
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._refused_in_a_row)
            self._refused_in_a_row += 1
            self._pause_until(now + pause * (1 + JITTER * self._jitter.random()))

    def unreachable(self, sent: float) -> None:
        """A request that was sent then was not answered at all: all wait, then one tries for all."""
        if sent < self._paused_from:
            return
        pause = min(LONGEST_PAUSE / 2, UNREACHABLE_PAUSE * 2**self._unreachable_in_a_row)
        self._unreachable_in_a_row += 1
        self._pause_until(time.monotonic() + pause * (1 + JITTER * self._jitter.random()))

    def _pause_until(self, moment: float) -> None:
        if moment > self._paused_until:
            self._paused_until = moment
            self._paused_from = time.monotonic()

    def _pause(self) -> float:
        now = time.monotonic()
        used_up = self._remaining is not None and self._remaining < 1 and now < self._remaining_until
        return max(self._paused_until, self._remaining_until if used_up else 0.0) - now
