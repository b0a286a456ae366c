"""The ledger in the call cache: claims, caps and spending, with several processes and in one transaction."""

import pytest

from labelrisk.cache.calls import CallCache
from labelrisk.cache.templates import request_template
from labelrisk.spending import batch_claims
from labelrisk.spending.caps import Caps
from labelrisk.spending.ledger import Ledger


@pytest.fixture
def cache(tmp_path):
    opened = CallCache(tmp_path / "calls.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def other(tmp_path):
    """The same cache as another process has it."""
    opened = CallCache(tmp_path / "calls.sqlite")
    yield opened
    opened.close()


def reserve(cache, key, bound=1.0, **caps):
    with cache.transaction():
        return Ledger(cache).reserve(key, "a", bound, Caps(**caps))


def pay(cache, key, cost):
    template = request_template("http://a/v1", lambda text: {"model": "m", "messages": [{"content": text}]})
    with cache.transaction():
        cache.store(key, template, "text", {"choices": []}, "a", cost)
        Ledger(cache).settle(key, "a", cost)


def test_a_claimed_call_is_busy_for_others_until_it_is_settled(cache, other):
    assert reserve(cache, b"k").outcome == "granted"
    assert reserve(other, b"k").outcome == "busy"
    pay(cache, b"k", 0.5)
    found = reserve(other, b"k")
    assert (found.outcome, found.stored.cost) == ("found", 0.5)


def test_the_claims_of_a_process_that_ended_are_written_off_at_their_bound(cache, tmp_path):
    dead = CallCache(tmp_path / "calls.sqlite")
    reserve(dead, b"k", 0.25)
    reserve(dead, b"l", 0.25)
    dead.close()  # gives the lock back, as the system does after SIGKILL; the claims stay
    assert reserve(cache, b"k").outcome == "granted"
    spent = Ledger(cache).spending("a")
    assert (spent.lost, spent.cost, spent.requests) == (2, 0.5, 3)
    assert Ledger(cache).write_off_dead() == 0


def test_caps_count_what_is_in_flight_at_its_bound(cache):
    """Cap 1.0: .4 in flight + .4 in flight, a third does not fit; settled at .1 each, it does."""
    assert reserve(cache, b"1", 0.4, cost=1.0).outcome == "granted"
    assert reserve(cache, b"2", 0.4, cost=1.0).outcome == "granted"
    assert reserve(cache, b"3", 0.4, cost=1.0).cap == "max_cost"
    pay(cache, b"1", 0.1)
    pay(cache, b"2", 0.1)
    assert reserve(cache, b"3", 0.4, cost=1.0).outcome == "granted"
    assert Ledger(cache).spending("a").requests == 3
    assert reserve(cache, b"4", 0.0, requests=3).cap == "max_requests"
    assert reserve(cache, b"4", 0.0, requests=4).outcome == "granted"


def test_one_transaction_counts_what_it_has_claimed_itself(cache):
    ledger, caps = Ledger(cache), Caps(cost=1.0)
    with cache.transaction():
        outcomes = [ledger.reserve(bytes([number]), "a", 0.25, caps).outcome for number in range(6)]
        assert ledger.reserve(b"b", "b", 0.75, caps).outcome == "granted"  # each annotator has caps of its own
        assert ledger.reserve(b"c", "a", 0.25, caps).cap == "max_cost"
    assert outcomes == ["granted"] * 4 + ["capped"] * 2


def test_caps_hold_whoever_else_claims_in_between(cache, other):
    """The sum of claims is remembered only while nothing else is written, by this ledger or any other."""
    first, second, caps = Ledger(cache), Ledger(cache), Caps(cost=1.0)
    with cache.transaction():
        assert first.reserve(b"1", "a", 0.5, caps).outcome == "granted"
        assert second.reserve(b"2", "a", 0.5, caps).outcome == "granted"
        assert first.reserve(b"3", "a", 0.5, caps).cap == "max_cost"
        second.settle(b"2", "a", 0.0)
        assert first.reserve(b"3", "a", 0.5, caps).outcome == "granted"
        first.settle(b"3", "a", 0.0)
    assert reserve(other, b"4", 0.5, cost=1.0).outcome == "granted"
    with cache.transaction():
        assert first.reserve(b"5", "a", 0.5, caps).cap == "max_cost"
        assert second.reserve(b"5", "a", 0.5, caps).cap == "max_cost"
    with other.transaction():
        Ledger(other).settle(b"4", "a", 0.0)
    with cache.transaction():
        assert first.reserve(b"5", "a", 0.5, caps).outcome == "granted"


def test_claims_that_were_rolled_back_do_not_count(cache):
    ledger, caps = Ledger(cache), Caps(cost=1.0)

    def fail_after_claiming():
        with cache.transaction():
            assert ledger.reserve(b"1", "a", 1.0, caps).outcome == "granted"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_claiming()
    with cache.transaction():
        assert ledger.reserve(b"1", "a", 1.0, caps).outcome == "granted"


def test_a_batch_that_is_released_leaves_its_money_to_the_same_transaction(cache):
    ledger, caps = Ledger(cache), Caps(cost=1.0)
    with cache.transaction():
        batch_claims.note_batch(cache, "token", "a", 1)
        assert ledger.reserve(b"1", "a", 1.0, caps, owner="batch:token").outcome == "granted"
        assert ledger.reserve(b"2", "a", 1.0, caps).cap == "max_cost"
        batch_claims.release_batch(cache, "token")
        assert ledger.reserve(b"2", "a", 1.0, caps).outcome == "granted"
    assert ledger.spending("a").requests == 1
