"""How the call cache packs answers: to the byte, much smaller, whatever version stored them, and none is ever lost."""

import gzip
import os
import random
import signal
import sqlite3
import string
import subprocess
import sys
import time
import zlib

import pytest

from labelrisk.cache.answer_query import Rules
from labelrisk.cache.calls import CallCache
from labelrisk.cache.lookup import CallLookup
from labelrisk.cache.parts import of_parts
from labelrisk.cache.pruning import remove_answers
from labelrisk.cache.schema import template_hash
from labelrisk.cache.stored_answers import fault, reading, stored_rows
from labelrisk.cache.templates import request_template
from labelrisk.cli import main
from labelrisk.files import canonical_json

ENDPOINT = "http://a/v1"
ODD = ({"half a pair": "\ud83d"}, {"big": 10**40, "small": 1e-300}, {"deep": [[[[]]]], "": None}, {"n": "x" * 9000})
VERSION_2 = (
    "CREATE TABLE frames (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, endpoint TEXT NOT NULL, "
    "model TEXT NOT NULL, prefix TEXT NOT NULL, suffix TEXT NOT NULL)",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, frame INTEGER NOT NULL REFERENCES "
    "frames (id), text TEXT NOT NULL, response BLOB NOT NULL, answered INTEGER NOT NULL, annotator TEXT, "
    "input_tokens INTEGER, output_tokens INTEGER, cost REAL)",
    "CREATE TABLE claims (key BLOB PRIMARY KEY, owner TEXT NOT NULL, annotator TEXT NOT NULL, cost REAL NOT NULL) "
    "WITHOUT ROWID",
    "CREATE TABLE spent (annotator TEXT PRIMARY KEY, requests INTEGER NOT NULL DEFAULT 0, "
    "cost REAL NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE TABLE batches (token TEXT PRIMARY KEY, annotator TEXT NOT NULL, batch TEXT, submitted INTEGER NOT NULL, "
    "requests INTEGER NOT NULL) WITHOUT ROWID",
    "PRAGMA user_version=2",
)


def template():
    return request_template(ENDPOINT, lambda text: {"model": "m", "messages": [{"role": "user", "content": text}]})


def answers(number, seed=0):
    """Text and response of some answers as an endpoint gives them, the first ones odd."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randrange(3, 9))) for _ in range(400)]
    for row in range(number):
        text = " ".join(draw.choices(words, k=25)) + f" \u2028 é😀 {row}"
        top = [{"token": code, "logprob": -draw.expovariate(0.2), "bytes": [ord(code)]} for code in "ABCDEFGHIJ"]
        message = {"role": "assistant", "content": draw.choice("AB"), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": [{"token": "A",
                  "top_logprobs": top}]}}  # fmt: skip
        odd = (*ODD, *[{}] * 99)[row % 99]
        yield text, {"id": "".join(draw.choices(string.hexdigits, k=20)), "choices": [choice]} | odd


def fill(path, some, annotator="a", answered=1_700_000_000):
    calls = CallCache(path)
    for text, response in some:
        with calls.transaction():
            calls.store(template().key(text), template(), text, response, annotator, 0.5, answered)
    calls.close()


def fill_version_2(path, some):
    """A cache as the version before wrote it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as old:
        for statement in VERSION_2:
            old.execute(statement)
        shared = template()
        old.execute("INSERT INTO frames VALUES (1, ?, ?, 'm', ?, ?)",
                    (template_hash(shared.prefix, shared.suffix), ENDPOINT, shared.prefix, shared.suffix))  # fmt: skip
        for number, (text, response) in enumerate(some, start=1):
            packed = zlib.compress(canonical_json(response).encode(errors="surrogatepass"), 1)
            row = (number, shared.key(text), text, packed, 1_700_000_000)
            old.execute("INSERT INTO calls VALUES (?, ?, 1, ?, ?, ?, 'a', NULL, NULL, 0.5)", row)
    old.close()


def assert_all_there(path, some, with_texts=True):
    """Every answer, byte for byte, by each way of reading it; and no other.

    with_texts: those of imported lines may stand in their templates.
    """
    expected = {template().key(text): (text, canonical_json(response)) for text, response in some}
    with reading(path) as connection:
        rows = list(stored_rows(connection))
    assert [fault(row) for row in rows] == [None] * len(expected)
    stored = {row.key: (row.text, row.response.decode(errors="surrogatepass")) for row in rows}
    assert stored == expected if with_texts else stored.keys() == expected.keys()
    calls = CallCache(path)
    lookup = CallLookup(path)
    many = lookup.find([*expected, bytes(32)])
    assert set(many) == set(expected)
    for key, (_, whole) in expected.items():
        assert canonical_json(calls.find(key).response) == canonical_json(lookup.unpacked(many[key]).response) == whole
    lookup.close()
    calls.close()


def file_size(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".labelrisk" / "calls.sqlite"


MORE = list(answers(600))  # of which more than half are packed with a dictionary
SOME = MORE[:400]


def test_answers_come_out_to_the_byte_and_take_half_the_room(path, tmp_path):
    fill(path, MORE)
    assert_all_there(path, MORE)
    fill_version_2(tmp_path / "old" / "calls.sqlite", MORE)
    assert file_size(path) < 0.75 * file_size(tmp_path / "old" / "calls.sqlite")
    with sqlite3.connect(path) as connection:
        (packed,) = connection.execute("SELECT avg(length(response)) FROM calls WHERE id > 200").fetchone()
    connection.close()
    assert packed < 0.7 * sum(len(zlib.compress(canonical_json(one).encode(errors="replace"))) for _, one in MORE) / 600


def test_a_cache_of_version_2_is_read_and_written_as_it_is(path, capfd):
    fill_version_2(path, SOME[:200])
    before = path.read_bytes()
    assert main(["cache", "verify"]) == 0
    assert main(["cache", "export", "answers.jsonl"]) == 0
    assert path.read_bytes() == before
    assert_all_there(path, SOME[:200])
    fill(path, SOME[100:])  # also what is there
    assert_all_there(path, SOME)
    assert main(["cache", "import", "answers.jsonl", "--cache", "new.sqlite"]) == 0
    assert_all_there(path.parent.parent / "new.sqlite", SOME[:200], with_texts=False)
    assert main(["cache", "import", str(path), "--cache", "other.sqlite"]) == 0
    assert_all_there(path.parent.parent / "other.sqlite", SOME)


def test_a_wrong_answer_of_version_2_that_seems_to_name_a_dictionary_is_one_wrong_answer(path, capfd):
    fill_version_2(path, SOME[:20])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE calls SET response = x'78bb0102030405060708' WHERE id = 7")
    connection.close()
    assert main(["cache", "verify"]) == 1
    assert "20 answers checked, 1 wrong" in capfd.readouterr().out
    assert main(["cache", "import", str(path), "--cache", "new.sqlite"]) == 1
    assert_all_there(path.parent.parent / "new.sqlite", SOME[:6] + SOME[7:20])


def test_compacting_makes_the_file_smaller_and_changes_no_answer(path, capfd):
    fill_version_2(path, MORE)
    before = file_size(path)
    for _ in range(2):
        assert main(["cache", "compact"]) == 0
        assert_all_there(path, MORE)
        assert file_size(path) < 0.75 * before
    assert "600 answers" in capfd.readouterr().out
    assert main(["cache", "verify"]) == 0
    fill(path, answers(700))  # which begin with those
    assert_all_there(path, list(answers(700)))


def test_compacting_keeps_what_cannot_be_read(path):
    fill(path, SOME)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE calls SET response = substr(response, 1, 40) WHERE id = 300")
        (broken,) = connection.execute("SELECT response FROM calls WHERE id = 300").fetchone()
    connection.close()
    assert main(["cache", "compact"]) == 0
    assert main(["cache", "verify"]) == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT response FROM calls WHERE id = 300").fetchone() == (broken,)
        checksum = int.from_bytes(broken[2:6], "big")  # of what may bring some of it back
        assert connection.execute("SELECT 1 FROM dictionaries WHERE checksum = ?", (checksum,)).fetchone()
    connection.close()


VACUUM = "before VACUUM"
KILLED = """
import os, signal, sys
from pathlib import Path
from labelrisk.cache import compaction
count = 0
compaction.AT_ONCE = 50

def done(rows):
    global count
    count += rows
    if count >= int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "before VACUUM":
    pack = compaction._pack_anew
    close = compaction.CallCache.transaction
    compaction.CallCache.execute_before = compaction.CallCache.execute
    def execute(self, statement, values=()):
        if statement == "VACUUM":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.execute_before(statement, values)
    compaction.CallCache.execute = execute
    done = lambda rows: None
compaction.compact(Path(".labelrisk/calls.sqlite"), done)
"""


@pytest.mark.parametrize("when", ["200", *(pytest.param(one, marks=pytest.mark.slow) for one in ("50", "400", VACUUM))])
def test_nothing_is_lost_when_compacting_is_killed(path, when):
    fill_version_2(path, SOME)
    done = subprocess.run([sys.executable, "-c", KILLED, when], timeout=60, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert_all_there(path, SOME)
    assert main(["cache", "compact"]) == 0
    assert_all_there(path, SOME)


def test_compacting_on_a_full_disk_is_one_sentence_and_changes_nothing(path, monkeypatch, capfd):
    fill_version_2(path, SOME)
    with monkeypatch.context() as patched:
        patched.setattr("labelrisk.cache.compaction.ROOM", 1e9)
        assert main(["cache", "compact"]) == 1
    assert "nothing was changed" in capfd.readouterr().err
    assert_all_there(path, SOME)

    class Tight(CallCache):
        def transaction(self):
            pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
            self._connection.execute(f"PRAGMA max_page_count={pages + 8}")
            return super().transaction()

    with monkeypatch.context() as patched:
        patched.setattr("labelrisk.cache.compaction.CallCache", Tight)
        assert main(["cache", "compact"]) == 1
    assert "full" in capfd.readouterr().err
    assert_all_there(path, SOME)


def test_a_temporary_folder_without_room_leaves_a_cache_that_is_packed(path, monkeypatch, capfd):
    fill_version_2(path, SOME)

    class Tight(CallCache):
        def execute(self, query, values=()):
            if query == "VACUUM":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(query, values)

    with monkeypatch.context() as patched:
        patched.setattr("labelrisk.cache.compaction.CallCache", Tight)
        assert main(["cache", "compact"]) == 1
    assert "is packed anew, but is as large as before (database or disk is full)" in capfd.readouterr().err
    assert_all_there(path, SOME)
    before = path.stat().st_size
    assert main(["cache", "compact"]) == 0
    assert path.stat().st_size < before


def test_compacting_waits_for_other_processes(path, capfd):
    fill(path, SOME[:5])
    other = CallCache(path)
    assert main(["cache", "compact"]) == 1
    assert "another process uses" in capfd.readouterr().err
    other.close()


def test_nothing_of_a_pruned_answer_stays_in_what_others_are_packed_with(path):
    pruned, kept = SOME[:200], SOME[200:]
    fill(path, pruned, answered=1_000_000)
    fill(path, kept, answered=2_000_000)
    with sqlite3.connect(path) as connection:
        before = b"".join(row[0] for row in connection.execute("SELECT content FROM dictionaries"))
    connection.close()
    assert any(text.encode() in before for text, _ in pruned)
    remove_answers(path, Rules(before=1_500_000), lambda calls, names: None, lambda text: None)
    with sqlite3.connect(path) as connection:
        after = b"".join(row[0] for row in connection.execute("SELECT content FROM dictionaries"))
    connection.close()
    assert after
    assert not [text for text, response in pruned if text.encode() in after or response["id"].encode() in after]
    assert_all_there(path, kept)


def test_a_dictionary_that_is_made_again_to_the_byte_stays(path):
    same = {"choices": [{"message": {"content": "A"}}]}
    some = [(f"a text {row}", same) for row in range(300)]
    fill(path, some)
    with sqlite3.connect(path) as connection:
        before = connection.execute("SELECT content FROM dictionaries").fetchall()
        connection.execute("UPDATE calls SET answered = 1 WHERE id = 100")
    connection.close()
    remove_answers(path, Rules(before=2), lambda calls, names: None, lambda text: None)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT content FROM dictionaries").fetchall() == before
    connection.close()
    assert_all_there(path, some[:99] + some[100:])


def test_what_is_pruned_meanwhile_is_read_to_the_end(path, monkeypatch):
    fill(path, SOME)
    monkeypatch.setattr("labelrisk.cache.parts.ROWS", 64)
    with reading(path) as connection:
        parts = of_parts(connection, Rules(), list)
        some = next(parts)
        remove_answers(path, Rules(before=1_800_000_000), lambda calls, names: None, lambda text: None)
        fill(path, answers(10, seed=1))  # which get ids of those
        some += [row for part in parts for row in part]
    assert [(row.text, fault(row)) for row in some] == [(text, None) for text, _ in SOME]


def test_a_transaction_that_is_undone_leaves_no_trace_in_later_answers(path):
    calls = CallCache(path)

    def store_and_fail():
        with calls.transaction():
            for text, response in SOME[:200]:  # more than a dictionary is made of
                calls.store(template().key(text), template(), text, response, "a", 0.5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store_and_fail()
    assert calls.execute("SELECT count(*) FROM dictionaries").fetchone() == (0,)
    calls.close()
    fill(path, SOME)
    assert_all_there(path, SOME)


def test_a_missing_dictionary_is_one_sentence(path, capfd):
    fill(path, SOME)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM dictionaries")
    connection.close()
    assert main(["cache", "verify"]) == 1
    assert "its text can't be read" in capfd.readouterr().out
    assert main(["cache", "export", "e.jsonl"]) == 1
    assert "has a wrong answer" in capfd.readouterr().err


@pytest.mark.slow
def test_several_processes_store_at_once(path):
    code = (
        "import sys; from pathlib import Path; import test_packed_answers as t\n"
        "t.fill(Path(sys.argv[1]), t.SOME[int(sys.argv[2]) :: 3], annotator='a')"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(one)], env=environment) for one in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert_all_there(path, SOME)
    assert main(["cache", "verify"]) == 0


@pytest.mark.slow
def test_opening_takes_no_longer_with_many_answers(path):
    fill(path, SOME)
    with sqlite3.connect(path) as connection:  # 120,000 more, of the same bytes
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO calls SELECT "
            "1000 * i + id, randomblob(32), frame, text, response, answered, annotator, 1, 1, cost FROM calls, n"
        )
    connection.close()
    start = time.perf_counter()
    calls = CallCache(path)
    assert calls.find(template().key(SOME[0][0])) is not None
    assert time.perf_counter() - start < 0.5
    calls.close()


@pytest.mark.slow
def test_processes_export_and_verify_the_same(path, monkeypatch, capfd):
    fill(path, SOME)
    assert main(["cache", "export", "one.jsonl.gz"]) == 0
    monkeypatch.setattr("labelrisk.cache.parts.MANY", 100)
    monkeypatch.setattr("labelrisk.cache.parts.ROWS", 64)
    assert main(["cache", "export", "several.jsonl.gz"]) == 0
    with gzip.open("one.jsonl.gz") as one, gzip.open("several.jsonl.gz") as several:
        assert one.read() == several.read()
    capfd.readouterr()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE calls SET response = x'00' WHERE id IN (3, 300)")
    connection.close()
    assert main(["cache", "verify"]) == 1
    printed = capfd.readouterr().out
    assert [line.split(",")[0] for line in printed.splitlines()] == ["row 3", "row 300", "400 answers checked"]
    assert main(["cache", "export", "none.jsonl"]) == 1
    assert "has a wrong answer (row 3" in capfd.readouterr().err
    assert not list(path.parent.parent.glob("none*"))
