"""What changes no question costs nothing: no request is sent for an answer that is known."""

import hashlib

import pandas as pd
import pytest
from faulty_replies import PRICE, corpus, right
from faulty_study import study_in
from loopback import served


@pytest.fixture
def study(tmp_path, monkeypatch, project):
    return study_in(tmp_path, monkeypatch, project)


def test_what_changes_no_question_is_not_asked(study, print_row):
    study.prepare(100)
    with served(right) as ledger:
        first = study.run(ledger.url, price=PRICE)
        for settings, change in [
            ({}, {"max_cost": 5.0}),
            ({}, {"max_requests": 7}),
            ({"concurrency": 3, "timeout": 9, "retries": 0, "patience": 5}, {}),
            ({}, {"timeout": 3}),
            ({}, {"price": {"input": 9, "output": 9, "cached_input": 1}}),
            ({}, {"requests_per_minute": 1, "tokens_per_minute": 1}),
        ]:
            frame = study.run(ledger.url, settings, **({"price": PRICE} | change))
            pd.testing.assert_frame_equal(frame, first)
        assert len(ledger.bodies) == 100
        shuffled = corpus(100).sample(frac=1, random_state=1)
        study.prepare(shuffled)
        study.is_right(study.run(ledger.url))
        assert len(ledger.bodies) == 100
        study.prepare(corpus(101))
        study.is_right(study.run(ledger.url))
        assert ledger.texts[100:] == ["Report 100: rain again."]
        study.prepare(corpus(70))
        study.is_right(study.run(ledger.url))
        study.prepare(corpus(101))
        study.is_right(study.run(ledger.url))
    print_row(ledger, 101)
    assert len(ledger.bodies) == 101


def test_a_gold_row_that_is_not_shown_costs_its_own_answer(study):
    """Fixed demonstrations are those of the lowest hashes: a row above them changes nobody's prompt."""

    def order(text):
        from labelrisk.corpora.rows import content_id

        return int.from_bytes(hashlib.sha256(f"0:{content_id(text)}".encode()).digest()[:8], "big")

    rows = corpus(100).assign(split=["train"] * 70 + ["validation"] * 15 + ["test"] * 15)
    hashes = sorted(order(text) for text in rows["text"][:70])
    candidates = [f"Added {place}: rain again." for place in range(2000)]
    high = next(text for text in candidates if order(text) > hashes[3])
    low = next(text for text in candidates if order(text) < hashes[0])

    def with_row(text):
        return pd.concat([rows, pd.DataFrame([{"text": text, "gold": "weather", "split": "train"}])])

    with served(right) as ledger:
        study.prepare(rows)
        assert len(pd.read_parquet("prepared/train.parquet")) == 70
        study.run(ledger.url, shots=3)
        assert len(ledger.bodies) == 100
        study.prepare(with_row(high))
        study.run(ledger.url, shots=3)
        assert ledger.texts[100:] == [high]
        study.prepare(with_row(low))
        study.run(ledger.url, shots=3)
        assert len(ledger.bodies) > 180  # this test can tell
