"""Rates and pauses are kept, by the times at which the server got the requests.

A busy machine makes requests late, by a second at times: no bound here is one that lateness alone would break.
"""

import time

import pytest
from faulty_replies import BUSY, right
from faulty_study import study_in
from loopback import served


@pytest.fixture
def study(tmp_path, monkeypatch, project):
    return study_in(tmp_path, monkeypatch, project)


LATE = 1.0


def assert_kept(times, at_once, a_second):
    """Never more by any time than the burst and what had come in since; and a third as fast at least."""
    since = [time - times[0] for time in times]
    for number, seconds in enumerate(since, start=1):
        assert number <= at_once + a_second * (seconds + LATE)
    least = (len(times) - at_once) / a_second
    assert 0.8 * least <= since[-1] <= 3 * least


def test_requests_per_minute_are_kept(study, print_row):
    """600 a minute are 10 a second after a burst of 5 seconds' worth."""
    study.prepare(80)
    with served(right) as ledger:
        study.run(ledger.url, {"concurrency": 32}, requests_per_minute=600)
    print_row(ledger, 80)
    assert_kept(ledger.times, 50, 10)


def test_tokens_per_minute_are_kept_by_the_servers_count(study, print_row):
    """1.2 million a minute are 20,000 a second after a burst of 100,000; each answer says 1,000, above the guess."""
    study.prepare(150)

    def reply(text, before):
        return 200, right(text)[1] | {"usage": {"prompt_tokens": 990, "completion_tokens": 10, "total_tokens": 1000}}

    with served(reply) as ledger:
        study.run(ledger.url, {"concurrency": 8}, tokens_per_minute=1_200_000)
    print_row(ledger, 150)
    assert_kept(ledger.times, 100 + 8, 20)  # what is in flight is not corrected yet


def test_a_pause_that_the_headers_of_one_answer_ask_for_is_kept_by_all(study, print_row):
    study.prepare(200)
    asked_for = []

    def reply(text, before):
        time.sleep(0.01)
        with ledger.lock:
            first = len(ledger.bodies) >= 100 and not asked_for
            if first:
                asked_for.append(time.monotonic())
        if not first:
            return right(text)
        return *right(text), {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}

    with served(reply) as ledger:
        study.is_right(study.run(ledger.url))
    print_row(ledger, 200)
    assert sum(0 < time - asked_for[0] < 0.98 for time in ledger.times) <= 16  # those in flight
    assert ledger.paid == 200


def test_a_refusal_of_one_holds_nobody_else(study, print_row):
    study.prepare(200)
    refused = []

    def reply(text, before):
        time.sleep(0.01)
        with ledger.lock:
            if len(ledger.bodies) < 100 or refused:
                return right(text)
            refused.append(time.monotonic())
        return 429, BUSY, {"Retry-After": "3"}

    with served(reply) as ledger:
        study.is_right(study.run(ledger.url))
    print_row(ledger, 200)
    assert ledger.times[-1] < refused[0] + 3
    assert (ledger.paid, ledger.statuses[429]) == (200, 1)


def test_while_all_are_refused_few_ask(study, print_row):
    study.prepare(200)
    began = []

    def reply(text, before):
        time.sleep(0.01)
        with ledger.lock:
            if len(ledger.bodies) >= 100 and not began:
                began.append(time.monotonic())
        if began and time.monotonic() < began[0] + 2:
            return 429, BUSY, {"Retry-After": "2"}
        return right(text)

    with served(reply) as ledger:
        study.is_right(study.run(ledger.url))
    print_row(ledger, 200)
    assert ledger.paid == 200
    assert ledger.statuses[429] <= 40


def test_a_server_that_takes_eight_at_once(study, print_row):
    study.prepare(400)

    def reply(text, before):
        if ledger.in_flight > 8:
            return 429, BUSY, {}
        time.sleep(0.03)
        return right(text)

    with served(reply) as ledger:
        study.is_right(study.run(ledger.url, {"concurrency": 32}))
    print_row(ledger, 400)
    assert ledger.paid == 400
    share = ledger.statuses[429] / len(ledger.bodies)
    assert 0 < share < 0.4
