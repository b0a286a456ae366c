"""Answers with something odd in or around them: each is stored as it was sent, read, and never paid twice."""

import json
import math
import sqlite3
import zlib

import pandas as pd
import pytest
from faulty_replies import corpus, right
from faulty_study import study_in
from hypothesis import given
from hypothesis import strategies as st
from loopback import completion, served

from labelrisk.cache.answer_json import DEEPEST, is_completion, parsed
from labelrisk.cache.packing import response_bytes, response_of
from labelrisk.cache.usage import Usage, usage_of
from labelrisk.codebook import Codebook
from labelrisk.endpoints.api_key import ApiKey
from labelrisk.endpoints.completions import parsed_completion
from labelrisk.endpoints.failures import NoAnswer, Received
from labelrisk.endpoints.rate_limit_headers import remaining_requests, retry_after
from labelrisk.errors import LabelRiskError
from labelrisk.labels.answer import entropy
from labelrisk.prompting.replies import LONGEST_REPLY, ReplyReader
from labelrisk.settings.chat import ChatSettings
from labelrisk.spending.prices import Price, cost_of

PRICE = {"input": 1.0, "output": 2.0}
NO_KEY = ApiKey(ChatSettings(reads="c", model="m", base_url="http://x/v1"), "model")
CODEBOOK = Codebook(task="t", labels={"weather": "x", "food": "y"})
READER = ReplyReader(CODEBOOK.names, ["A", "B"])


@pytest.fixture
def study(tmp_path, monkeypatch, project):
    return study_in(tmp_path, monkeypatch, project)


def usage(**changes):
    return {"usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11} | changes}


DEEP = "[" * 100_000 + "]" * 100_000
DEEP_OBJECT = '{"a": ' * 100_000 + "1" + "}" * 100_000
AROUND = [  # what stands beside the choices, as JSON
    json.dumps(usage(prompt_tokens=2**63)),
    json.dumps(usage(prompt_tokens=-1)),
    json.dumps(usage(prompt_tokens=0.5)),
    json.dumps(usage(prompt_tokens="10")),
    json.dumps(usage(prompt_tokens=True)),
    json.dumps(usage(total_tokens=10**18)),
    json.dumps(usage(prompt_tokens_details={"cached_tokens": 10**6})),
    json.dumps(usage(prompt_tokens_details=[1])),
    json.dumps({"usage": [[1]]}),
    f'{{"usage": {"9" * 5000}}}',
    f'{{"usage": {DEEP}}}',
    f'{{"extra": {DEEP}, "also": {DEEP_OBJECT}}}',
    '{"model": "\\ud800", "id": "\\u0000"}',
    '{"model": {"name": ["m"]}}',
    '{"model": "\\u001b[31mred\\n\\r"}',
    '{"created": NaN, "system_fingerprint": Infinity, "x": -Infinity, "y": 1e999}',
    '{"choices": null, "choices": 7, "created": 1, "created": 2}',
    '{"service_tier": "\\ud83d\\ude00 \\uffff"}',
]
HEADERS = [
    {"x-ratelimit-remaining-requests": "²", "x-ratelimit-reset-requests": "1s"},
    {"x-ratelimit-remaining-requests": "9" * 400, "x-ratelimit-reset-requests": "9" * 400 + "h"},
    {"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "-1"},
    {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "soon"},
]


def test_whatever_is_odd_around_an_answer_it_is_stored_and_paid_once(study, capfd):
    study.prepare(60)
    odd = dict(zip(study.texts(), AROUND * 4, strict=False))

    def reply(text, before):
        whole = json.dumps({"choices": right(text)[1]["choices"]})
        # of two members of one name the last one counts
        content = f"{odd[text][:-1]}, {whole[1:]}".encode()
        return 200, content, HEADERS[len(ledger.bodies) % len(HEADERS)]

    with served(reply) as ledger:
        first = study.run(ledger.url, price=PRICE, max_cost=1, tokens_per_minute=10**6)
        study.is_right(first)
        study.is_right(study.run(ledger.url, price=PRICE, max_cost=1, extra_body={}))
    assert (ledger.paid, study.stored_answers()) == (60, 60)
    assert first["input_tokens"].isna().all()
    assert study.spending().cost < 1
    assert study.totals()["requests"] == 0
    printed = capfd.readouterr().err
    assert "\x1b" not in printed
    with sqlite3.connect(".labelrisk/calls.sqlite") as cache:
        stored = [json.loads(zlib.decompress(row[0])) for row in cache.execute("SELECT response FROM calls")]
    cache.close()
    assert {len(one["usage"]) for one in stored if isinstance(one.get("usage"), str)} == {5000}


@pytest.mark.parametrize(
    "logprob", ["Infinity", "-Infinity", "NaN", "0.5", '"-0.1"', "null", "true", "1e999", "9" * 5000]
)
def test_what_is_no_log_probability_gives_no_probabilities(logprob):
    content = json.dumps(completion("A", {"A": 0.5, "B": 0.25}))
    for good in (math.log(0.5), math.log(0.25)):  # of the label, of another one
        answer = READER.read(parsed(content.replace(str(good), logprob).encode()))
        assert (answer.status, answer.label, answer.method, answer.probabilities) == ("ok", "weather", None, None)
        assert entropy(answer.probabilities) is None


def test_a_log_probability_that_rounding_put_above_0_is_one():
    answer = READER.read(parsed(json.dumps(completion("A", {"A": math.exp(1e-7), "The": 1e-9})).encode()))
    assert answer.probabilities == (1.0, 0.0)


@pytest.mark.parametrize(
    "form", [("label", "code"), ("label", "json"), ("verbalised", "code"), ("explanations", "code")]
)
@pytest.mark.parametrize(
    "reply", ["x" * 10**6, "a" + " " * 10**6, "\n" * 10**6, "[" * 10**6, "Label:" * 10**5, '"' * 10**6]
)
def test_a_reply_of_a_megabyte_is_read_at_once_and_quoted_in_part(form, reply):
    answer = ReplyReader(CODEBOOK.names, ["A", "B"], form).read(completion(reply))
    assert answer.label is None
    assert len(answer.reply) <= LONGEST_REPLY


def test_the_label_at_the_end_of_a_long_explanation_is_found():
    reply = "Because.\n" * 10_000 + "Label: B"
    assert ReplyReader(CODEBOOK.names, ["A", "B"], ("explanations", "code")).read(completion(reply)).label == "food"


def test_what_a_second_question_quotes_is_bounded(study):
    study.prepare(corpus(60).iloc[:60])
    with served(lambda text, before: right(text) if before else (200, completion("Q" * 10**6))) as ledger:
        study.is_right(study.run(ledger.url))
    assert max(len(json.dumps(body)) for body in ledger.bodies) < LONGEST_REPLY + 5000


def test_an_error_with_status_200_is_shown_in_its_own_words_and_is_no_label(study):
    study.prepare(60)
    upstream = {"error": {"message": "model is\x1b[31m overloaded\ntry later", "code": 502}}
    with served(lambda text, before: right(text) if before else (200, upstream)) as ledger:
        study.is_right(study.run(ledger.url, {"concurrency": 60}))
    assert study.totals()["errors"] == {"server error": 60}
    for content, words in (
        (upstream, r"model is\x1b[31m overloaded try later"),
        (b"<h1>Log in</h1>", "<h1>Log in</h1>"),
    ):
        with (
            served(lambda text, before, content=content: (200, content)) as ledger,
            pytest.raises(LabelRiskError) as caught,
        ):
            study.run(ledger.url, {"retries": 0}, model=words[:3])
        assert f"no chat completion: {words})" in str(caught.value)
        assert len(ledger.bodies) == 1
    assert study.stored_answers() == 60


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
WORDS = st.sampled_from(["A", "B", "", "Q", "A 85%", "\ud83d", "\x00", '{"label": "A"}', "weather"])
NUMBERS = st.floats() | st.integers(-5, 5) | ANY


@st.composite
def completions(draw):
    """Nearly valid completions: any part may be anything."""

    def or_any(part):
        return draw(ANY) if draw(st.integers(0, 7)) == 0 else part

    top = [or_any({"token": or_any(draw(WORDS)), "logprob": draw(NUMBERS)}) for _ in range(draw(st.integers(0, 3)))]
    token = or_any({"token": or_any(draw(WORDS)), "logprob": draw(NUMBERS), "top_logprobs": or_any(top)})
    message = or_any({"role": "assistant", "content": or_any(draw(WORDS)), "refusal": or_any(None)})
    choice = {"message": message, "logprobs": or_any({"content": or_any([token])}), "finish_reason": or_any("stop")}
    counts = {name: draw(NUMBERS) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return or_any({"choices": or_any([or_any(choice)]), "usage": or_any(counts), "model": or_any("m")})


STATUSES = {"ok", "off_list", "refusal", "content_filter", "empty", "truncated"}


@pytest.mark.fuzz
@given(
    response=ANY | completions(), form=st.sampled_from([("label", "code"), ("label", "json"), ("verbalised", "code")])
)
def test_any_json_is_a_whole_answer_or_none(response, form):
    content = json.dumps(response).encode()
    try:
        answered = parsed_completion(Received(200, {}, content), NO_KEY, "the endpoint")
    except NoAnswer as broken:
        reason = broken.reason
    else:
        reason = None
    if reason is not None:
        assert not is_completion(response) or response.get("error") or response["choices"][0].get("error")
        assert reason.isprintable()
        return
    stored = response_of(response_bytes(answered))
    assert json.dumps(stored) == json.dumps(json.loads(response_bytes(answered)))
    assert json.dumps(answered) == json.dumps(response)
    used = usage_of(stored)
    assert used == Usage() or all(count is None or 0 <= count <= 10**9 for count in used)
    cost = cost_of(stored.get("usage"), Price(input=3.0, output=5.0, cached_input=1.0))
    assert cost is None or 0 <= cost < math.inf
    answer = ReplyReader(CODEBOOK.names, ["A", "B"], form).read(stored)
    assert answer.status in STATUSES
    assert (answer.label is not None) == (answer.status == "ok")
    if answer.probabilities is not None:
        assert math.isclose(sum(answer.probabilities), 1.0, abs_tol=1e-9)
        assert min(answer.probabilities) >= 0
        assert 0 <= entropy(answer.probabilities) < 1
    pd.DataFrame({"reply": [answer.reply]}).to_json()


@pytest.mark.fuzz
@given(content=st.binary(max_size=200) | st.text('[]{}",:0123456789eE+-.\\uabn ', max_size=200).map(str.encode))
def test_any_bytes_are_parsed_or_a_value_error(content):
    try:
        value = parsed(content)
    except ValueError:
        return
    json.dumps(value)


@pytest.mark.fuzz
@given(
    value=st.text(max_size=30) | st.from_regex(r"\A[0-9]{0,400}(\.[0-9]+)?(ms|h|m|s|d)?\Z"),
    word=st.sampled_from(
        ["retry-after", "retry-after-ms", "x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"]
    ),
)
def test_any_header_is_a_number_or_unknown(value, word):
    headers = {"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "1s"} | {word: value}
    for found in (retry_after(headers), *(remaining_requests(headers) or ())):
        assert found is None or 0 <= found < math.inf


def test_nesting_is_kept_up_to_a_bound():
    kept = parsed(b"[" * DEEPEST + b"]" * DEEPEST)
    assert str(kept) == "[" * DEEPEST + "]" * DEEPEST
    assert str(parsed(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))) == "[" * DEEPEST + "None" + "]" * DEEPEST
    assert parsed(('{"a": ' + DEEP + ', "b": "]]}"}').encode())["b"] == "]]}"
