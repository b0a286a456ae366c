"""`labelrisk predict`: files and pipes of any size become labels, whatever ends a run in between."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from applied_study import CLASSES, rows, study

import labelrisk
from labelrisk.applying import chunks, inputs
from labelrisk.applying.parts import folder_of
from labelrisk.applying.pipe import waiting_objects
from labelrisk.cli import main
from labelrisk.encoders.loading import load_tokenizer
from labelrisk.encoders.tokens import beginnings, tokenise

OURS = ["label", "confidence", "set", "p_no", "p_yes", "distance", "unlike", "reason"]


@pytest.fixture(scope="module")
def root():
    return study()


@pytest.fixture
def predict(root, tmp_path, monkeypatch, capfd):
    """Runs the command in an empty folder; returns what it prints, or the sentence where it fails."""
    monkeypatch.chdir(tmp_path)

    def run(*words, classifier="distilled", fails=False):
        code = main(["predict", "--classifier", str(root / "classifiers" / classifier), *words])
        out, err = capfd.readouterr()
        assert code == (1 if fails else 0), err
        return err if fails else out

    return run


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 20 rows, so that a few rows make several."""
    monkeypatch.setattr(chunks, "ROWS", 20)


def table(count=50, seed=3):
    frame = rows(count, seed)
    return frame.assign(number=range(count), outlet=["a", "b"] * (count // 2)).drop(columns="gold")


def plain(column):
    """Values with None where there is none."""
    return [None if pd.isna(one) else one for one in column]


def test_all_formats_give_the_same_and_keep_order_and_columns(root, predict, tmp_path):
    frame = table()
    frame.loc[3, "text"] = None
    frame.to_parquet("in.parquet")
    frame.to_csv("in.csv", index=False)
    frame.to_csv("in.tsv", index=False, sep="\t")
    frame.to_json("in.jsonl", orient="records", lines=True)
    for kind in ("parquet", "csv", "tsv", "jsonl"):
        said = predict("--in", f"in.{kind}", "--out", f"{kind}.parquet")
        assert f"{kind}.parquet: 50 rows, 49 with a label; without: 1 missing text." in said
    wanted = labelrisk.load(root / "classifiers" / "distilled").label(frame)
    for kind in ("parquet", "jsonl"):  # CSV knows texts alone
        found = pd.read_parquet(f"{kind}.parquet")
        assert list(found) == [*frame, *OURS]
        pd.testing.assert_frame_equal(found[list(frame)], frame)
    for kind in ("parquet", "csv", "tsv", "jsonl"):
        found = pd.read_parquet(f"{kind}.parquet")
        assert found["number"].astype(int).tolist() == list(range(50))
        for name in ("label", "confidence", "p_yes", "distance", "unlike", "reason"):
            assert plain(found[name]) == plain(wanted[name])
        assert [None if of is None else list(of) for of in found["set"]] == [
            None if of is None else list(of) for of in wanted["set"]
        ]
    for kind in ("csv", "tsv", "jsonl"):
        predict("--in", "in.parquet", "--out", f"out.{kind}")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [list(line) for line in lines] == [[*frame, *OURS]] * 50
    assert lines[3]["label"] is None
    assert lines[3]["reason"] == "missing text"
    assert lines[4]["set"] == list(wanted["set"][4])
    assert lines[4]["p_yes"] == pytest.approx(wanted["p_yes"][4], rel=1e-5)
    for kind, separator in (("csv", ","), ("tsv", "\t")):
        text = (tmp_path / f"out.{kind}").read_text(encoding="utf-8-sig")
        cells = list(csv.DictReader(io.StringIO(text), delimiter=separator))
        assert [one["label"] for one in cells] == [line["label"] or "" for line in lines]
        assert json.loads(cells[4]["set"]) == lines[4]["set"]
        assert cells[3]["p_yes"] == cells[3]["unlike"] == ""


def test_nothing_is_dropped_and_each_row_without_a_label_has_its_reason(predict, tmp_path):
    odd = [
        "good word1",
        None,
        "",
        " \u200b\t",
        "\0",
        "good\0 word1",
        "bad " * 300_000,
        "=cmd()|'!A1",
        3,
        {"a": 1},
        True,
    ]
    lines = [json.dumps({"text": one, "at": at}) + "\n" for at, one in enumerate(odd)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    said = predict("--in", "in.jsonl", "--out", "out.parquet")
    assert "11 rows, 4 with a label; without: 3 blank text, 1 missing text, 3 no text; 1 text has 32" in said.replace(
        "\n", " "
    )
    found = pd.read_parquet("out.parquet")
    assert found["at"].tolist() == list(range(11))
    wanted = [None, "missing text", *["blank text"] * 3, None, None, None, *["no text"] * 3]
    assert plain(found["reason"]) == wanted
    assert found["label"].isna().tolist() == [one is not None for one in wanted]
    assert [None if pd.isna(one) else json.loads(one) for one in found["text"]] == odd
    predict("--in", "in.jsonl", "--out", "out.csv")
    cells = csv.reader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8-sig")))
    assert not [cell for row in cells for cell in row if cell.startswith(("=", "+", "@"))]


def test_a_megabyte_is_read_to_where_tokens_end(root):
    tokenizer = load_tokenizer(str(root / "tiny"), None)
    short, long, spaced = "good word1", "bad " * 250_000, "good" + " " * 5000 + "word1"
    found = beginnings(tokenizer, [short, long, spaced], 32)
    assert [len(one) for one in found] == [len(short), 1024, len(spaced)]
    read, whole = (tokenise(tokenizer, of, 32) for of in (found, [short, long, spaced]))
    assert np.array_equal(read.ids, whole.ids)
    assert np.array_equal(read.offsets, whole.offsets)


def test_names_that_are_taken_are_one_sentence_and_a_prefix_helps(predict):
    table().assign(label="mine", p_yes=1.0).to_csv("in.csv", index=False)
    assert "in.csv has a column 'label' already" in predict("--in", "in.csv", "--out", "out.csv", fails=True)
    predict("--in", "in.csv", "--out", "out.csv", "--prefix", "pred_")
    found = pd.read_csv("out.csv")
    assert set(found["label"]) == {"mine"}
    assert set(found["pred_label"]) <= set(CLASSES)


FAULTS = [
    ("in.csv", "text\n", "in.csv has no rows"),
    ("in.csv", "body\ngood\n", "in.csv has no column 'text', which --text names"),
    ("in.csv", "text,text\na,b\n", "in.csv has 2 columns 'text'"),
    ("in.csv", "text,n\na,1\nb,2,3\n", "line 3: the row has 3 fields, but the header has 2"),
    ("in.csv", 'text\n"good\n', "a quote is not closed"),
    ("in.csv", b"text\n\xff\n", "is not UTF-8 (line 2, column 'text')"),
    ("in.jsonl", '{"text": "a"}\n{"text": \n', "in.jsonl, line 2, can't be read as jsonl"),
    ("in.jsonl", '{"text": "\\ud800"}\n', "in.jsonl, line 1: the key 'text' holds half of a character"),
    ("in.parquet", "no parquet", "in.parquet can't be read as parquet"),
    ("in.xlsx", "PK\x03\x04", "is a spreadsheet, which is not read"),
]


@pytest.mark.parametrize(("name", "content", "says"), FAULTS, ids=[f"{one[0]}-{one[2][:20]}" for one in FAULTS])
def test_a_fault_is_found_at_the_door(predict, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert says in predict("--in", name, "--out", "out.csv", fails=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "out.xlsx"], "--out out.xlsx is no table"),
        (["--out", "there.csv"], "there.csv is there already; name another --out, or give --anew to replace it"),
        (["--out", "in.csv", "--anew"], "--out in.csv is the file of --in, which is never replaced"),
        (["--out", "out.csv", "--by", "outle"], "no column 'outle', which --by names; did you mean 'outlet'?"),
        (["--out", "out.csv", "--probability", "p"], "--probability is about rows with gold"),
        (["--out", "-", "--gold", "number"], "--gold needs all rows"),
        (["--out", "out.csv", "--gold", "number"], "in.csv, row 1: the gold label '0' is no class of the classifier"),
        (["--out", "out.csv", "--shares", "s.txt"], "--shares s.txt is neither"),
        (["--out", "out.csv", "--classifier", "."], "ensemble.json"),
        (["--out", "out.csv", "--calibration", "in.csv"], "in.csv"),
    ],
    ids=lambda one: one[-1] if isinstance(one, list) else "",
)
def test_options_that_do_not_fit_are_one_sentence(predict, tmp_path, words, says):
    table().to_csv("in.csv", index=False)
    (tmp_path / "there.csv").write_text("of somebody")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert says in predict("--in", "in.csv", *words, fails=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_ended_run_goes_on_where_it_was_with_the_same_bytes(root, predict, tmp_path, monkeypatch, small_chunks):
    table(100).to_parquet("in.parquet")
    predict("--in", "in.parquet", "--out", "whole.parquet", "--by", "outlet")
    from labelrisk.applying import applied as command

    said, real = [], command.say

    def ends(*options):
        if len(said) == 3:
            raise KeyboardInterrupt
        said.append(options[3])
        return real(*options)

    words = ["predict", "--in", "in.parquet", "--out", "out.parquet", "--by", "outlet"]
    words += ["--classifier", str(root / "classifiers" / "distilled")]
    monkeypatch.setattr(command, "say", ends)
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert main(words) == 130
    for number, handler in zip((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), handlers, strict=True):
        signal.signal(number, handler)
    assert not (tmp_path / "out.parquet").exists()
    parts = folder_of(str(tmp_path / "out.parquet"))
    assert len(list(parts.glob("*.parquet"))) == 3
    (parts / "00000001.parquet").write_bytes(b"PAR1")  # as a machine that fell may leave it
    monkeypatch.setattr(command, "say", lambda *options: (said.append(options[3]), real(*options))[1])
    said.clear()
    predict(*words[1:5], "--by", "outlet")
    assert [len(one) for one in said] == [20, 20, 20]  # the damaged one, and the two that were left
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not parts.exists()


def test_what_changed_since_then_is_noticed(root, predict, tmp_path, monkeypatch, small_chunks):
    frame = table(60)
    frame.to_csv("in.csv", index=False)
    from labelrisk.applying import applied as command

    def begin():
        """Two chunks, then a fault."""
        real, calls = command.say, []
        with monkeypatch.context() as patched:
            patched.setattr(command, "say", lambda *of: real(*of) if calls.append(1) or len(calls) < 3 else 1 / 0)
            assert main(["predict", "--in", "in.csv", "--out", "out.csv", "--classifier", distilled]) == 70

    distilled = str(root / "classifiers" / "distilled")
    begin()
    assert "begun with another classifier" in predict(
        "--in", "in.csv", "--out", "out.csv", classifier="chosen", fails=True
    )
    said = predict("--in", "in.csv", "--out", "out.csv", "--without-distances", fails=True)
    assert "begun with another calibration" in said
    said = predict("--in", "in.csv", "--out", "out.csv", "--text", "outlet", fails=True)
    assert "begun with another --text (text, now outlet); give --anew to begin from the first row" in said
    frame.assign(text=frame["text"].where(frame.index != 25, "another")).to_csv("in.csv", index=False)
    said = predict("--in", "in.csv", "--out", "out.csv", fails=True)
    assert "in.csv: the texts of rows 21 to 40 are others than when the run towards out.csv was begun" in said
    predict("--in", "in.csv", "--out", "out.csv", "--anew")
    assert pd.read_csv("out.csv")["text"][25] == "another"
    begin_again = frame.assign(outlet="c")
    begin_again.to_csv("in.csv", index=False)
    (tmp_path / "out.csv").unlink()
    begin()
    begin_again.assign(outlet="d").to_csv("in.csv", index=False)  # what is not read of a row is as it is at the end
    predict("--in", "in.csv", "--out", "out.csv")
    assert set(pd.read_csv("out.csv")["outlet"]) == {"d"}


def test_two_runs_at_once_are_noticed(predict, tmp_path):
    import fcntl

    table().to_csv("in.csv", index=False)
    folder = folder_of(str(tmp_path / "out.csv"))
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process is writing out.csv now" in predict("--in", "in.csv", "--out", "out.csv", fails=True)
    predict("--in", "in.csv", "--out", "out.csv")


def test_chunks_are_the_same_however_batches_are_cut(tmp_path, monkeypatch):
    frame = pd.DataFrame({"text": ["x" * length for length in (5, 90, 3, 200, 1, 1, 1)]})
    frame.to_parquet(tmp_path / "one.parquet")
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "many.parquet", row_group_size=2)
    monkeypatch.setattr(chunks, "LETTERS", 95)
    found = [
        [len(part) for part in chunks.chunks(inputs.open_input(str(tmp_path / name)), "text")]
        for name in ("one.parquet", "many.parquet")
    ]
    assert found == [[2, 2, 3]] * 2


def test_columns_of_any_kind_are_kept(predict, tmp_path):
    content = {
        "text": pa.array(["good word1", "bad word2"]).dictionary_encode(),
        "when": pa.array([1, 2], pa.timestamp("us")),
        "tags": pa.array([["=x", "y"], None]),
        "raw": pa.array([b"\xff", b""]),
        "share": pa.array([float("nan"), 1.5]),
    }
    pq.write_table(pa.table(content), "in.parquet")
    predict("--in", "in.parquet", "--out", "out.parquet")
    found = pq.read_table("out.parquet")
    for name, column in content.items():
        assert found[name].type == column.type
        assert str(found[name].to_pylist()) == str(column.to_pylist())
    predict("--in", "in.parquet", "--out", "out.jsonl")
    text = (tmp_path / "out.jsonl").read_text()
    lines = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    assert lines[0]["tags"] == ["=x", "y"]
    assert lines[0]["share"] is None


def test_uncalibrated_says_less_and_corrects_nothing(predict):
    table().to_csv("in.csv", index=False)
    said = predict("--in", "in.csv", "--out", "out.csv", "--uncalibrated")
    assert list(pd.read_csv("out.csv"))[-4:] == ["label", "p_no", "p_yes", "reason"]
    assert "Class shares can't be corrected, for there is no calibration" in said
    predict("--in", "in.csv", "--out", "out2.csv", "--without-distances")
    assert list(pd.read_csv("out2.csv"))[-6:] == ["label", "confidence", "set", "p_no", "p_yes", "reason"]


def test_lines_are_there_as_soon_as_they_were_written():
    reads, writes = os.pipe()
    found = waiting_objects(reads)
    os.write(writes, b'{"a": 1}\n{"a": ')
    assert next(found) == [{"a": 1}]
    os.write(writes, b'2}\n\n{"a": 3}\n{"a": 4}')
    assert next(found) == [{"a": 2}, {"a": 3}]
    os.close(writes)
    assert list(found) == [[{"a": 4}]]
    os.close(reads)


@pytest.fixture
def standard_input():
    """Puts a text where a process reads its standard input."""
    before = os.dup(0)

    def put(text):
        reads, writes = os.pipe()
        os.write(writes, text.encode())
        os.close(writes)
        os.dup2(reads, 0)
        os.close(reads)

    yield put
    os.dup2(before, 0)
    os.close(before)


def test_lines_are_answered_in_ascii_that_no_terminal_obeys(root, standard_input, capfd):
    texts = ["good word1", "b\x7f\u202e\U000e0001d", None]
    lines = [json.dumps({"text": text, "id": at}, ensure_ascii=False) for at, text in enumerate(texts)]
    standard_input("\n\n".join(lines))
    assert main(["predict", "--in", "-", "--out", "-", "--classifier", str(root / "classifiers" / "distilled")]) == 0
    raw, err = capfd.readouterr()
    assert raw.isascii()
    assert "\x7f" not in raw
    answers = [json.loads(line) for line in raw.splitlines()]
    assert [(one["id"], one["text"]) for one in answers] == list(enumerate(texts))
    assert [one["label"] in CLASSES for one in answers] == [True, True, False]
    assert answers[2]["reason"] == "missing text"
    assert "3 rows, 2 with a label; without: 1 missing text." in err


def test_halves_of_characters_are_labelled_and_lines_before_a_fault_are_answered(root, standard_input, capfd):
    standard_input('{"text": "good \\ud83d word1"}\n{"text": "good \\ud83d\\ude00"}\n[1]\n{"text": "bad"}\n')
    assert main(["predict", "--in", "-", "--out", "-", "--classifier", str(root / "classifiers" / "distilled")]) == 1
    out, err = capfd.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [one["text"] for one in answers] == ["good \ud83d word1", "good \U0001f600"]
    assert all(one["label"] in CLASSES for one in answers)
    assert "standard input, line 3, can't be read as jsonl" in err


def test_a_file_may_flow_into_a_pipe(predict):
    table().to_parquet("in.parquet")
    lines = [json.loads(line) for line in predict("--in", "in.parquet", "--out", "-").splitlines()]
    assert [line["number"] for line in lines] == list(range(50))
    assert {line["label"] for line in lines} == set(CLASSES)


class Pipe:
    """The command at the other end of two pipes."""

    def __init__(self, root, *words):
        command = [sys.executable, "-m", "labelrisk", "predict", "--in", "-", "--out", "-", *words]
        command += ["--classifier", str(root / "classifiers" / "distilled")]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(command, **pipes, text=True, env=environment)

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line if isinstance(line, str) else json.dumps(line) + "\n")
        self.process.stdin.flush()


@pytest.mark.slow
def test_a_pipe_is_answered_line_by_line_and_its_end_is_quiet(root):
    pipe = Pipe(root)
    pipe.say({"text": "good word1", "id": 1})
    first = json.loads(pipe.process.stdout.readline())  # before the second is written
    assert (first["id"], first["label"] in CLASSES) == (1, True)
    pipe.say({"text": "bad word1", "id": 2})
    assert json.loads(pipe.process.stdout.readline())["id"] == 2
    pipe.process.stdin.close()
    assert pipe.process.stdout.read() == ""
    assert "2 rows, 2 with a label." in pipe.process.stderr.read()
    assert pipe.process.wait() == 0


@pytest.mark.slow
def test_who_reads_no_more_ends_a_pipe_without_a_word(root):
    pipe = Pipe(root)
    pipe.say({"text": "good word1"})
    pipe.process.stdout.readline()
    pipe.process.stdout.close()
    pipe.say(*[{"text": "bad word2"}] * 50)
    pipe.process.stdin.close()
    assert pipe.process.stderr.read() == ""
    assert pipe.process.wait() == 0


@pytest.mark.slow
def test_a_faulty_line_ends_a_pipe_after_what_came_before(root):
    pipe = Pipe(root)
    pipe.say({"text": "good word1"})
    assert json.loads(pipe.process.stdout.readline())["label"] in CLASSES
    pipe.say('{"text": "a", "text": "b"}\n')
    assert "standard input, line 2, can't be read as jsonl (the key 'text' stands twice)" in pipe.process.stderr.read()
    assert pipe.process.wait() == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_goes_on_with_the_same_bytes(root, tmp_path, number):
    rows(25_000, seed=4).to_parquet(tmp_path / "in.parquet")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def command(out):
        words = ["predict", "--in", "in.parquet", "--out", out, "--without-distances"]
        return [sys.executable, "-m", "labelrisk", *words, "--classifier", str(root / "classifiers" / "distilled")]

    options = {"cwd": tmp_path, "env": environment, "stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command("out.parquet"), **options)
    deadline = time.monotonic() + 240
    parts = folder_of(str(tmp_path / "out.parquet"))
    while process.poll() is None and len(list(parts.glob("0*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    done = len(list(parts.glob("0*.parquet")))
    assert 3 <= done < 25
    assert not (tmp_path / "out.parquet").exists()
    for out in ("out.parquet", "whole.parquet"):
        subprocess.run(command(out), check=True, **options)
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet", "whole.parquet"]
