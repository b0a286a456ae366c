"""The call cache by itself: keys, answers, migration, broken files."""

import json
import sqlite3
import zlib
from pathlib import Path

import pytest

from labelrisk.cache.calls import CallCache
from labelrisk.cache.templates import request_template
from labelrisk.errors import LabelRiskError
from labelrisk.files import canonical_json

BODY = {
    "model": "m",
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    "temperature": 0.0,
    "max_tokens": 1,
    "response_format": {"type": "json_schema", "json_schema": {"name": "label"}},
    "top_p": 0.9,
}


def template(endpoint="http://a/v1", sample=0, **changes):
    def body(text):
        messages = changes.get("messages", BODY["messages"])
        return BODY | changes | {"messages": [messages[0], {"role": "user", "content": messages[1]["content"] + text}]}

    return request_template(endpoint, body, sample)


@pytest.mark.parametrize(
    "other",
    [
        template(endpoint="http://b/v1"),
        template(model="n"),
        template(messages=[{"role": "system", "content": "S"}, BODY["messages"][1]]),
        template(messages=[BODY["messages"][0], {"role": "user", "content": "U"}]),
        template(temperature=0.1),
        template(max_tokens=2),
        template(response_format={"type": "json_schema", "json_schema": {"name": "other"}}),
        template(top_p=0.8),
        template(seed=1),
        template(sample=1),
    ],
    ids=[*("endpoint", "model", "system", "user", "temperature", "max_tokens", "schema"), "extra", "added", "sample"],
)
def test_each_field_of_what_is_sent_changes_the_key(other):
    assert other.key("text") != template().key("text")
    assert template().key("text") == template().key("text")
    assert template().key("text") != template().key("texts")


def test_the_key_is_the_hash_of_the_whole_request():
    """As an independent reader would compute it, with text that JSON must escape."""
    import hashlib

    text = 'a "quoted" \\ line\nnext \u2028 😀'
    request = template().request(text)
    assert request["messages"][1]["content"] == "u" + text
    whole = canonical_json({"endpoint": "http://a/v1", "request": request})
    assert template().key(text) == hashlib.sha256(whole.encode()).digest()
    sampled = canonical_json({"endpoint": "http://a/v1", "request": request, "sample": 2})
    assert template(sample=2).key(text) == hashlib.sha256(sampled.encode()).digest()


def test_a_temporary_experiment_uses_the_projects_cache(tmp_path, monkeypatch):
    inside = tmp_path / ".dvc" / "tmp" / "exps" / "tmpx"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    cache = CallCache(Path(".labelrisk/calls.sqlite"))
    assert cache.path == tmp_path / ".labelrisk" / "calls.sqlite"
    assert cache.path.is_file()


@pytest.fixture
def cache(tmp_path):
    opened = CallCache(tmp_path / "calls.sqlite")
    yield opened
    opened.close()


def test_the_first_answer_to_a_call_stays(cache):
    for answer in (1, 2):
        with cache.transaction():
            cache.store(b"k", template(), "text", {"answer": answer, "usage": {"prompt_tokens": 3}}, "a", 0.5)
    stored = cache.find(b"k")
    assert (stored.response["answer"], stored.cost) == (1, 0.5)
    assert cache.find(b"other") is None
    assert (cache.has(b"k"), cache.has(b"other")) == (True, False)


def test_a_cache_of_version_1_is_brought_forward_with_all_its_answers(tmp_path):
    path = tmp_path / "calls.sqlite"
    request = template().request("text")
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE calls (key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, model TEXT NOT NULL, "
            "request TEXT NOT NULL, response TEXT NOT NULL, answered TEXT NOT NULL) WITHOUT ROWID"
        )
        values = (template().key("text").hex(), "http://a/v1", "m", json.dumps(request), '{"answer":1}')
        old.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?)", (*values, "2026-11-20T10:00:00+00:00"))
        old.execute("PRAGMA user_version=1")
    old.close()
    cache = CallCache(path)
    assert cache.find(template().key("text")).response == {"answer": 1}
    assert cache.find(template().key("text")).cost is None
    rows = list(cache.execute("SELECT prefix, text, suffix, response FROM calls JOIN frames ON frame = frames.id"))
    cache.close()
    prefix, text, suffix, response = rows[0]
    assert json.loads(prefix + text + suffix)["request"] == request
    assert json.loads(zlib.decompress(response)) == {"answer": 1}
    CallCache(path).close()


def test_a_cache_that_is_none_is_never_overwritten(tmp_path):
    file = tmp_path / "calls.sqlite"
    file.write_bytes(b"these are paid answers in a broken file" * 100)
    with pytest.raises(LabelRiskError, match=r"calls\.sqlite can't be used as call cache"):
        CallCache(file)
    assert file.read_bytes().startswith(b"these are paid")


def test_a_cache_of_a_newer_version_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "calls.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    before = (tmp_path / "calls.sqlite").read_bytes()
    with pytest.raises(LabelRiskError, match="of version 99, newer"):
        CallCache(tmp_path / "calls.sqlite")
    assert (tmp_path / "calls.sqlite").read_bytes() == before
