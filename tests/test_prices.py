"""What requests cost, by hand; that no bound is below a cost; and the totals of a labels file."""

from collections import Counter

import pytest

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.cache.templates import request_template
from labelrisk.codebook import Codebook
from labelrisk.labels.answer import Answer
from labelrisk.labels.labels_file import LabelledRow, LabelsWriter
from labelrisk.labels.row_cost import RowCost
from labelrisk.labels.totals import of_run, totals
from labelrisk.prompting.prompts import messages
from labelrisk.prompting.request_bodies import request_body
from labelrisk.settings.chat import Price
from labelrisk.spending.prices import bound_of, cost_of, output_bound, price_of
from labelrisk.spending.run_counts import RunCounts

PRICE = Price(input=2.0, output=10.0)
CODEBOOK = Codebook(task="Nenne das Thema.", labels={"Wetter": "Regen, Schnee — 雨。", "Essen": "Suppe und Brot."})


def annotator(**changes):
    common = {"kind": "chat", "reads": "c", "model": "m", "base_url": "http://x", "shots": 0}
    return ChatAnnotator.model_validate(common | changes)


def usage(read, written, cached=None):
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    return {"prompt_tokens": read, "completion_tokens": written} | details


@pytest.mark.parametrize(
    ("used", "price", "cost"),
    [
        (usage(1000, 100), PRICE, 0.003),  # 1000 * 2 + 100 * 10 millionths
        (usage(1000, 100, 800), PRICE, 0.003),  # no price of their own
        (usage(1000, 100, 800), Price(input=2.0, output=10.0, cached_input=0.5), 0.0018),  # 200 * 2 + 800 * .5 + 1000
        (usage(1000, 100, 800), Price(input=2.0, output=10.0, cached_input=0.0), 0.0014),
        (usage(1000, 100, 0), Price(input=2.0, output=10.0, cached_input=0.5), 0.003),
        (usage(1000, 100) | {"prompt_tokens_details": None}, Price(input=2, output=10, cached_input=0.5), 0.003),
        (usage(1000, 0), PRICE, 0.002),
        (None, PRICE, None),
        ({}, PRICE, None),
        ({"prompt_tokens": 1000}, PRICE, None),
        ({"prompt_tokens": 1000, "completion_tokens": None}, PRICE, None),
        (usage(1000, 100), None, None),
        (usage(1000, 100), Price(input=0, output=0), 0.0),
        (None, Price(input=0, output=0), 0.0),
    ],
)
def test_costs_by_hand(used, price, cost):
    assert cost_of(used, price) == (None if cost is None else pytest.approx(cost))


def test_whose_price_it_is():
    declared = {"input": 2.0, "output": 10.0, "cached_input": 0.5}
    assert price_of(annotator()) is None
    assert price_of(annotator(mode="batch")) is None
    assert price_of(annotator(price=declared)) == Price(input=2.0, output=10.0, cached_input=0.5)
    assert cost_of(None, price_of(annotator(base_url="embedded", price=declared))) == 0.0
    half = price_of(annotator(price=declared, mode="batch"))
    assert (half.input, half.output, half.cached_input) == (1.0, 5.0, 0.25)
    tenth = price_of(annotator(price={"input": 2.0, "output": 10.0, "batch": 0.1}, mode="batch"))
    assert (tenth.input, tenth.output, tenth.cached_input) == pytest.approx((0.2, 1.0, None))


def test_how_long_an_answer_can_be():
    assert output_bound({"max_tokens": 5}) == 5
    assert output_bound({"max_completion_tokens": 7}) == 7
    assert output_bound({"max_tokens": 5, "max_completion_tokens": 7}) == 7
    assert output_bound({"max_tokens": None}) is None


def test_bounds_by_hand():
    assert bound_of(72, 3, PRICE) == pytest.approx((200 * 2 + 3 * 10) / 1e6)  # 72 bytes and 128 of a chat template
    assert bound_of(72, None, PRICE) == pytest.approx(200 * 2 / 1e6)
    assert bound_of(72, 3, None) == 0.0


@pytest.mark.parametrize(
    "text", ["", "Es regnet.", "雨が降る。" * 50, "\U0001f327\ufe0f", '"\\\n\t' * 30, "\x00\x1f", "é"]
)
@pytest.mark.parametrize("cached", [None, 0.5, 4.0])
def test_no_request_costs_more_than_its_bound(text, cached):
    """A tokenizer that makes a token of each byte, a template of 8 tokens around a message, the longest answer."""
    declared = annotator(price={"input": 2.0, "output": 10.0, "cached_input": cached})

    def body(slot):
        return request_body(declared, CODEBOOK, messages(CODEBOOK, [("雪が降る。", "Wetter")], slot))

    frame = request_template("http://x", body)
    request = frame.request(text)
    read = sum(len(message["content"].encode()) + 8 for message in request["messages"])
    price = price_of(declared)
    bound = bound_of(frame.size(text), output_bound(request), price)
    for known in (0, read):
        assert cost_of(usage(read, request["max_tokens"], known), price) <= bound


# totals


def write(path, rows):
    with LabelsWriter(path) as writer:
        for number, (answer, flags, spent) in enumerate(rows):
            writer.write(LabelledRow(str(number), "train", answer, flags, "0123456789ab", spent, f"{number:064x}"))


SURE = Answer("ok", "food", "logprobs", (0.2, 0.8))
MIXED = [
    (SURE, (), RowCost(1, 10, 1, 0.1)),
    (SURE, ("delimiter", "canary"), RowCost(2, 20, 2, 0.2)),
    (Answer("ok", "food"), ("delimiter",), RowCost(1, 11, 1, 0.3)),
    (Answer("off_list", reply="Q"), (), RowCost(2, 25, 3, 0.4)),
    (Answer("error", reply="too long"), (), RowCost()),
]


def test_totals_of_a_mixed_run_by_hand(tmp_path):
    write(tmp_path / "labels.parquet", MIXED)
    now = RunCounts(3, 4, 0.7, 0, Counter({"timeout": 2, "rate limit": 1}), Counter({"m-2": 1, "m-1": 3}))
    assert totals(tmp_path / "labels.parquet", True) == {
        "rows": 5,
        "status": {"error": 1, "off_list": 1, "ok": 3},
        "method": {"logprobs": 2},
        "flags": {"canary": 1, "delimiter": 2},
        "codebook": "0123456789ab",
        "requests": 6,
        "input_tokens": 66,
        "output_tokens": 7,
        "cost": 1.0,
    }
    assert of_run(now) == {
        "requests": 4,
        "cost": 0.7,
        "requests_of_unknown_cost": 0,
        "errors": {"rate limit": 1, "timeout": 2},
        "models": {"m-1": 3, "m-2": 1},
    }


def test_what_is_unknown_is_null_and_never_less(tmp_path):
    write(tmp_path / "labels.parquet", [*MIXED, (SURE, None, RowCost(1, None, None, None))])
    content = totals(tmp_path / "labels.parquet", True)
    assert (content["requests"], content["input_tokens"], content["output_tokens"], content["cost"]) == (7, *[None] * 3)
    run = of_run(RunCounts(0, 2, 0.5, 1))
    assert (run["cost"], run["requests_of_unknown_cost"]) == (None, 1)
    assert content["flags"] == {"canary": 1, "delimiter": 2}


def test_an_annotator_that_asks_nobody_has_no_costs(tmp_path):
    write(tmp_path / "labels.parquet", MIXED)
    assert totals(tmp_path / "labels.parquet", False) == {
        "rows": 5,
        "status": {"error": 1, "off_list": 1, "ok": 3},
    }


def test_nothing_screened_and_nobody_asked_are_no_errors(tmp_path):
    write(tmp_path / "labels.parquet", [(Answer("ok", "food"), None, RowCost(1, 1, 1, 0.0))])
    content = totals(tmp_path / "labels.parquet", True)
    assert (content["flags"], content["method"], content["cost"], of_run(RunCounts(1))["cost"]) == ({}, {}, 0.0, 0.0)
