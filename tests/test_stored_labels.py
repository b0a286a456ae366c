"""Rows whose answers are stored are labelled many at a time: the same file, to the byte, and nothing is asked."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from faulty_replies import right
from faulty_study import study_in
from loopback import completion, served

from labelrisk.annotators.chat import stored_chunks
from labelrisk.annotators.chat.stored_labels import StoredLabels, add
from labelrisk.labels import earlier_run
from labelrisk.labels.labels_file import SCHEMA

LABELS = Path("labels.parquet")


@pytest.fixture
def study(tmp_path, monkeypatch, project):
    return study_in(tmp_path, monkeypatch, project)


def sometimes_wrong(text, before):
    """The right label, but first no label for each fifth text, a refusal for each seventh."""
    number = sum(map(ord, text))
    if number % 5 == 0 and before == 0:
        return 200, completion("who knows")
    if number % 7 == 0:
        return 200, completion("", refusal="no") | {"choices": [{"message": {"content": None, "refusal": "no"}}]}
    return right(text)


def forget():
    shutil.rmtree(".labelrisk/labels")


ANNOTATORS = {
    "logprobs": {},
    "no confidence": {"confidence": "none", "reasks": 0},
    "votes": {"confidence": "votes", "samples": 3, "temperature": 0.7},
    "canary": {"screening": "canary"},
}


SLOW = ("votes", "canary")  # the second loads a model


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in ANNOTATORS])
def test_the_file_is_that_of_rows_looked_up_one_by_one(study, monkeypatch, name):
    study.prepare(60)
    many = []
    with served(sometimes_wrong) as ledger:
        study.run(ledger.url, **ANNOTATORS[name])
        asked = len(ledger.bodies)
        forget()
        with monkeypatch.context() as patched:
            patched.setattr(StoredLabels, "of", lambda self, chunk: ([], SCHEMA.empty_table()))
            study.run(ledger.url, **ANNOTATORS[name])
        one_by_one = LABELS.read_bytes()
        forget()
        monkeypatch.setattr(stored_chunks, "add", lambda rows, chunk: (many.extend(rows[0]), add(rows, chunk)))
        study.run(ledger.url, **ANNOTATORS[name])
    assert LABELS.read_bytes() == one_by_one
    assert len(ledger.bodies) == asked
    assert len(many) > 30


def test_one_row_more_asks_once(study):
    study.prepare(60)
    with served(lambda text, before: right(text)) as ledger:
        study.run(ledger.url)
        study.prepare(61)
        forget()
        frame = study.run(ledger.url)
    study.is_right(frame)
    assert (len(ledger.bodies), len(frame)) == (61, 61)


def killed_at_once(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("are_killed", [False, True])
def test_processes_write_the_same_file_and_may_be_killed(study, monkeypatch, are_killed):
    study.prepare(200)
    monkeypatch.setattr(earlier_run, "CHUNK_ROWS", 16)
    with served(lambda text, before: right(text)) as ledger:
        study.run(ledger.url)
        before = LABELS.read_bytes()
        forget()
        monkeypatch.setattr(stored_chunks, "MANY", 16)
        if are_killed:
            monkeypatch.setattr(stored_chunks, "_of", killed_at_once)
        study.run(ledger.url)
    assert LABELS.read_bytes() == before
    assert len(ledger.bodies) == 200
