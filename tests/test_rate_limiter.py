"""Limits of speed: rates by a clock of the test's own, refusals, pauses, and an endpoint that is gone."""

import asyncio
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from labelrisk.endpoints import rate_limiter
from labelrisk.endpoints.rate_limit_headers import retry_after, seconds_of
from labelrisk.endpoints.rate_limiter import Bucket, RateLimiter

LONG = 5.0  # seconds that nothing here takes


@pytest.fixture
def clock(monkeypatch):
    """The time of the module, which stands until a test moves it."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(rate_limiter, "time", SimpleNamespace(monotonic=lambda: clock.now, time=time.time))
    return clock


def test_a_bucket_holds_five_seconds_of_its_rate(clock):
    bucket = Bucket(60)  # one a second, five at most
    assert bucket.wait(5) == 0
    bucket.take(5)
    assert bucket.wait(1) == pytest.approx(1)
    clock.now += 0.25
    assert bucket.wait(1) == pytest.approx(0.75)
    clock.now += 100
    assert bucket.wait(5) == 0
    bucket.take(4)
    assert bucket.wait(5) == pytest.approx(4)


def test_what_is_more_than_a_bucket_holds_goes_when_it_is_full_and_is_owed(clock):
    bucket = Bucket(60)
    assert bucket.wait(50) == 0
    bucket.take(50)
    assert bucket.wait(1) == pytest.approx(46)
    assert bucket.wait(50) == pytest.approx(50)
    bucket.take(-10)
    assert bucket.wait(1) == pytest.approx(36)


def test_a_slow_rate_holds_one(clock):
    bucket = Bucket(6)  # one in ten seconds
    assert bucket.wait(1) == 0
    bucket.take(1)
    assert bucket.wait(1) == pytest.approx(10)


def test_without_a_rate_there_is_no_wait():
    bucket = Bucket(None)
    bucket.take(1e9)
    assert bucket.wait(1e9) == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-1"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_a_refusal_asks_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


def test_a_date_of_http_is_seconds_from_now():
    assert 50 < retry_after({"retry-after": formatdate(time.time() + 60, usegmt=True)}) <= 60


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1.5", 1.5),
        ("1h2m3.5s", 3723.5),
        ("1d", 86400),
        ("0s", 0),
        ("junk", None),
        ("", None),
        (None, None),
    ],
)
def test_durations(duration, seconds):
    assert seconds_of(duration) == (pytest.approx(seconds) if seconds is not None else None)


async def acquired(limiter, tokens=0.0):
    """When a request may be sent, which must be soon."""
    return await asyncio.wait_for(limiter.acquire(tokens), LONG)


async def waiting(limiter, tokens=0.0):
    """A task that waits for its turn, still after a while."""
    task = asyncio.ensure_future(limiter.acquire(tokens))
    await asyncio.sleep(0.1)
    assert not task.done()
    return task


def test_no_more_than_the_limit_are_in_flight():
    async def run():
        limiter = RateLimiter(2, None, None)
        for _ in range(2):
            await acquired(limiter)
        task = await waiting(limiter)
        limiter.release()
        await asyncio.wait_for(task, LONG)

    asyncio.run(run())


def test_refusals_halve_steps_off_the_limit_and_answers_bring_it_back(clock):
    limiter = RateLimiter(4, None, None)
    limiter.refused(clock.now, 0)
    assert limiter.limit == 3.5
    for _ in range(10):
        limiter.refused(clock.now, 0)
    assert limiter.limit == 1
    for _ in range(8):
        limiter.answered({}, 0)
    assert limiter.limit == 2
    for _ in range(100):
        limiter.answered({}, 0)
    assert limiter.limit == 4


def test_four_answers_outweigh_a_refusal(clock):
    """At one refusal in five the limit stays where it is."""
    limiter = RateLimiter(100, None, None)
    limiter.refused(clock.now, 0)
    before = limiter.limit
    for _ in range(5):
        limiter.refused(clock.now, 0)
        for _ in range(4):
            limiter.answered({}, 0)
    assert limiter.limit == before


def test_a_limit_that_fell_lets_fewer_in():
    async def run():
        limiter = RateLimiter(3, None, None)
        for _ in range(2):  # 3 - 2 * 0.5
            limiter.refused(time.monotonic(), 0)
        for _ in range(2):
            await acquired(limiter)
        task = await waiting(limiter)
        for _ in range(8):
            limiter.answered({}, 0)
        limiter.release()
        await asyncio.wait_for(task, LONG)
        await acquired(limiter)  # the third

    asyncio.run(run())


def test_a_pause_holds_all():
    async def run():
        limiter = RateLimiter(8, None, None)
        start = time.monotonic()
        limiter.refused(start, 0.3)
        sent = await asyncio.gather(*(acquired(limiter) for _ in range(5)))
        assert min(sent) >= start + 0.3

    asyncio.run(run())


def test_a_pause_begins_while_others_wait_for_their_turn():
    async def run():
        limiter = RateLimiter(1, None, None)
        await acquired(limiter)
        task = await waiting(limiter)
        start = time.monotonic()
        limiter.refused(start, 0.3)
        limiter.release()
        assert await asyncio.wait_for(task, LONG) >= start + 0.3

    asyncio.run(run())


def test_refusals_of_what_was_sent_before_the_pause_are_one_refusal():
    """Ten at once pause .1 s, not the 51 s of ten in a row."""

    async def run():
        limiter = RateLimiter(20, None, None)
        sent = time.monotonic() - 1
        limiter.refused(time.monotonic(), None)
        for _ in range(9):
            limiter.refused(sent, None)
        await acquired(limiter)

    asyncio.run(run())


def test_refusals_in_a_row_pause_longer(clock):
    async def run():
        limiter = RateLimiter(20, None, None)
        for number in range(3):  # .1, .2, .4 seconds
            limiter.refused(clock.now, None)
            clock.now += 0.1 * 2**number * 0.95
            task = await waiting(limiter)
            task.cancel()
            clock.now += 0.1 * 2**number * 0.35
            await acquired(limiter)

    asyncio.run(run())


def test_headers_that_allow_no_more_requests_hold_all_until_they_do():
    async def run():
        limiter = RateLimiter(8, None, None)
        limiter.answered({"x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "300ms"}, 0)
        start = time.monotonic()
        sent = [await acquired(limiter) for _ in range(3)]
        assert sent[2] >= start + 0.25

    asyncio.run(run())


def test_a_rate_of_requests_holds(clock):
    async def run():
        limiter = RateLimiter(100, 60, None)
        for _ in range(5):
            await acquired(limiter)
        (await waiting(limiter)).cancel()

    asyncio.run(run())


def test_a_rate_of_tokens_holds_and_what_was_not_used_is_given_back(clock):
    async def run():
        limiter = RateLimiter(100, None, 6000)  # 100 a second, 500 at once
        await acquired(limiter, 600)
        (await waiting(limiter)).cancel()  # 100 are owed
        limiter.answered({}, 110)
        await acquired(limiter, 10)
        (await waiting(limiter, 10)).cancel()

    asyncio.run(run())


def test_one_tries_alone_after_an_endpoint_was_gone(monkeypatch):
    monkeypatch.setattr(rate_limiter, "UNREACHABLE_PAUSE", 0.05)

    async def run():
        limiter = RateLimiter(8, None, None)
        start = time.monotonic()
        limiter.unreachable(start)
        assert await acquired(limiter) >= start + 0.05
        task = await waiting(limiter)  # one is under way
        limiter.answered({}, 0)
        limiter.release()
        await asyncio.wait_for(task, LONG)
        for _ in range(7):
            await acquired(limiter)

    asyncio.run(run())
