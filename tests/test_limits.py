"""Limits of speed: rates by a clock of the test's own, refusals, pauses, and an endpoint that is gone."""

import asyncio
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from labelrisk.endpoints import rate_limiter as limits
from labelrisk.endpoints.rate_limiter import Bucket, RateLimiter, retry_after, seconds_of

LONG = 5.0  # seconds that nothing here takes


@pytest.fixture
def clock(monkeypatch):
    """The time of the module, which stands until a test moves it."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: clock.now, time=time.time))
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
    ("told", "seconds"),
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
def test_durations(told, seconds):
    assert seconds_of(told) == (pytest.approx(seconds) if seconds is not None else None)


async def enters(pace, tokens=0.0):
    """When a request may be sent, which must be soon."""
    return await asyncio.wait_for(pace.enter(tokens), LONG)


async def waits(pace, tokens=0.0):
    """A task that waits at the door, still after a while."""
    task = asyncio.ensure_future(pace.enter(tokens))
    await asyncio.sleep(0.1)
    assert not task.done()
    return task


def test_no_more_than_the_limit_are_in_flight():
    async def run():
        pace = RateLimiter(2, None, None)
        for _ in range(2):
            await enters(pace)
        task = await waits(pace)
        pace.leave()
        await asyncio.wait_for(task, LONG)

    asyncio.run(run())


def test_refusals_halve_steps_off_the_limit_and_answers_bring_it_back(clock):
    pace = RateLimiter(4, None, None)
    pace.refused(clock.now, 0)
    assert pace.limit == 3.5
    for _ in range(10):
        pace.refused(clock.now, 0)
    assert pace.limit == 1
    for _ in range(8):
        pace.answered({}, 0)
    assert pace.limit == 2
    for _ in range(100):
        pace.answered({}, 0)
    assert pace.limit == 4


def test_four_answers_outweigh_a_refusal(clock):
    """At one refusal in five the limit stays where it is."""
    pace = RateLimiter(100, None, None)
    pace.refused(clock.now, 0)
    before = pace.limit
    for _ in range(5):
        pace.refused(clock.now, 0)
        for _ in range(4):
            pace.answered({}, 0)
    assert pace.limit == before


def test_a_limit_that_fell_lets_fewer_in():
    async def run():
        pace = RateLimiter(3, None, None)
        for _ in range(2):  # 3 - 2 * 0.5
            pace.refused(time.monotonic(), 0)
        for _ in range(2):
            await enters(pace)
        task = await waits(pace)
        for _ in range(8):
            pace.answered({}, 0)
        pace.leave()
        await asyncio.wait_for(task, LONG)
        await enters(pace)  # the third

    asyncio.run(run())


def test_a_pause_holds_all():
    async def run():
        pace = RateLimiter(8, None, None)
        start = time.monotonic()
        pace.refused(start, 0.3)
        sent = await asyncio.gather(*(enters(pace) for _ in range(5)))
        assert min(sent) >= start + 0.3

    asyncio.run(run())


def test_a_pause_begins_while_others_wait_at_the_door():
    async def run():
        pace = RateLimiter(1, None, None)
        await enters(pace)
        task = await waits(pace)
        start = time.monotonic()
        pace.refused(start, 0.3)
        pace.leave()
        assert await asyncio.wait_for(task, LONG) >= start + 0.3

    asyncio.run(run())


def test_refusals_of_what_was_sent_before_the_pause_are_one_refusal():
    """Ten at once pause .1 s, not the 51 s of ten in a row."""

    async def run():
        pace = RateLimiter(20, None, None)
        sent = time.monotonic() - 1
        pace.refused(time.monotonic(), None)
        for _ in range(9):
            pace.refused(sent, None)
        await enters(pace)

    asyncio.run(run())


def test_refusals_in_a_row_pause_longer(clock):
    async def run():
        pace = RateLimiter(20, None, None)
        for number in range(3):  # .1, .2, .4 seconds
            pace.refused(clock.now, None)
            clock.now += 0.1 * 2**number * 0.95
            task = await waits(pace)
            task.cancel()
            clock.now += 0.1 * 2**number * 0.35
            await enters(pace)

    asyncio.run(run())


def test_headers_that_allow_no_more_requests_hold_all_until_they_do():
    async def run():
        pace = RateLimiter(8, None, None)
        pace.answered({"x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "300ms"}, 0)
        start = time.monotonic()
        sent = [await enters(pace) for _ in range(3)]
        assert sent[2] >= start + 0.25

    asyncio.run(run())


def test_a_rate_of_requests_holds(clock):
    async def run():
        pace = RateLimiter(100, 60, None)
        for _ in range(5):
            await enters(pace)
        (await waits(pace)).cancel()

    asyncio.run(run())


def test_a_rate_of_tokens_holds_and_what_was_not_used_is_given_back(clock):
    async def run():
        pace = RateLimiter(100, None, 6000)  # 100 a second, 500 at once
        await enters(pace, 600)
        (await waits(pace)).cancel()  # 100 are owed
        pace.answered({}, 110)
        await enters(pace, 10)
        (await waits(pace, 10)).cancel()

    asyncio.run(run())


def test_one_tries_alone_after_an_endpoint_was_gone(monkeypatch):
    monkeypatch.setattr(limits, "DOWN_PAUSE", 0.05)

    async def run():
        pace = RateLimiter(8, None, None)
        start = time.monotonic()
        pace.unreachable(start)
        assert await enters(pace) >= start + 0.05
        task = await waits(pace)  # one is under way
        pace.answered({}, 0)
        pace.leave()
        await asyncio.wait_for(task, LONG)
        for _ in range(7):
            await enters(pace)

    asyncio.run(run())
