"""`labelrisk predict` from and to S3, and over the files of a folder: the same bytes as of one file on this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from applied_study import rows, study
from servers import S3_KEYS, passed_on, s3_server

from labelrisk.applying import chunks, places
from labelrisk.applying.applied import Applied, Options
from labelrisk.applying.deliveries import delivered
from labelrisk.applying.parquet_inputs import open_parquet
from labelrisk.applying.parts import folder_of
from labelrisk.applying.ray_actors import Labeller
from labelrisk.cli import main
from labelrisk.errors import LabelRiskError


@pytest.fixture(scope="module")
def root():
    return study()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def s3(server, monkeypatch):
    """A file system on the server, which the command finds by the usual variables."""
    for name, value in S3_KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    places._s3.cache_clear()
    yield pyarrow.fs.S3FileSystem(endpoint_override=server)
    places._s3.cache_clear()


@pytest.fixture
def upload(server, s3, tmp_path):
    """Delivers 24 MB, which are three parts of an upload, in a process of its own; `at` is called with the process and
    the connection when the second part comes to the server.  Gives the exit status, and the errors.
    """

    def run(at):
        started = []
        with passed_on(server, b"partNumber=2&", lambda connection: at(started[0], connection)) as url:
            code = (
                "import sys; from pathlib import Path; from labelrisk.applying.deliveries import delivered\n"
                "with delivered('s3://labels/big.parquet', Path('whole'), anew=False) as beside:\n"
                "    beside.write_bytes(bytes(24 * 10**6))"
            )
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "AWS_ENDPOINT_URL": url}
            options = {"cwd": tmp_path, "env": environment, "stderr": subprocess.PIPE, "text": True}
            started.append(subprocess.Popen([sys.executable, "-c", code], **options))
            said = started[0].communicate(timeout=100)[1]
        return started[0].returncode, said

    return run


@pytest.fixture
def predict(root, tmp_path, monkeypatch, capfd):
    """Runs the command in an empty folder; returns what it prints, or the sentence where it fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chunks, "ROWS", 20)

    def run(*words, fails=False):
        code = main(["predict", "--classifier", str(root / "classifiers" / "distilled"), "--uncalibrated", *words])
        out, err = capfd.readouterr()
        assert code == (1 if fails else 0), err
        return " ".join((err if fails else out).split())

    return run


def content(s3, key):
    with s3.open_input_file(f"labels/{key}") as file:
        return file.read()


def table(count=50, seed=3):
    return rows(count, seed).assign(number=range(count)).drop(columns="gold")


def test_from_s3_to_s3_are_the_bytes_of_this_machine(s3, predict, tmp_path):
    table().to_parquet("in.parquet")
    predict("--in", "in.parquet", "--out", "out.parquet")
    pq.write_table(pq.read_table("in.parquet"), "labels/texts/in.parquet", filesystem=s3)
    said = predict("--in", "s3://labels/texts/in.parquet", "--out", "s3://labels/out.parquet")
    assert said.startswith("s3://labels/out.parquet: 50 rows, 50 with a label.")
    assert content(s3, "out.parquet") == Path("out.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]
    again = ("--in", "in.parquet", "--out", "s3://labels/out.parquet")
    assert "s3://labels/out.parquet is there already; name another --out, or give --anew" in predict(*again, fails=True)
    predict(*again, "--anew")
    assert content(s3, "out.parquet") == Path("out.parquet").read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["s3://labels/none.parquet", "o.parquet"], "s3://labels/none.parquet is not there; correct --in"),
        (["s3://labels/none/", "o.parquet"], "s3://labels/none/ holds no Parquet file; correct --in"),
        (["s3://labels/a.csv", "o.parquet"], "s3://labels/a.csv is no Parquet, which alone is read from S3"),
        (["s3://labels", "o.parquet"], "'s3://labels' names no file; give s3://BUCKET/KEY.parquet"),
        (["in.parquet", "s3://labels/o.csv"], "s3://labels/o.csv is no Parquet file, which alone is written to S3"),
        (["in.parquet", "s3://no-bucket/o.parquet"], "s3://no-bucket/o.parquet: there is no such bucket"),
        (["s3://no-bucket/texts/", "o.parquet"], "there is no such bucket; correct its name, or make it"),
    ],
)
def test_what_s3_has_not_is_one_sentence(s3, predict, words, says):
    table().to_parquet("in.parquet")
    assert says in predict("--in", words[0], "--out", words[1], fails=True)


def test_what_was_labelled_stays_where_the_upload_fails(s3, predict):
    table().to_parquet("in.parquet")
    predict("--in", "in.parquet", "--out", "s3://no-bucket/o.parquet", fails=True)
    assert len(list(folder_of("s3://no-bucket/o.parquet").glob("0*.parquet"))) == 3


def test_a_server_that_is_not_there_and_keys_that_are_not_taken_are_one_sentence(monkeypatch):
    monkeypatch.setattr(places, "TRIES", 1)
    for name, value in (S3_KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).items():
        monkeypatch.setenv(name, value)
    places._s3.cache_clear()
    with pytest.raises(LabelRiskError, match="nobody answers; correct AWS_ENDPOINT_URL"):
        open_parquet(places.place_of("s3://labels/in.parquet"))
    places._s3.cache_clear()
    words = "When getting information for key 'k' in bucket 'b': AWS Error ACCESS_DENIED during HeadObject: No body"
    denied = places.worded(places.Place(object(), "b/k.parquet"))
    with pytest.raises(LabelRiskError, match="s3://b/k.parquet: access is denied; set AWS_ACCESS_KEY_ID"), denied:
        raise OSError(words)


def deliver(name, folder, write):
    with delivered(f"s3://labels/{name}.parquet", folder / "whole", anew=False) as beside:
        write(beside)


def test_what_others_write_meanwhile_is_noticed(s3, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"text": ["a", "b"]}), "labels/moving.parquet", filesystem=s3)
    found = open_parquet(places.place_of("s3://labels/moving.parquet"))
    batches = found.batches()
    next(batches)
    pq.write_table(pa.table({"text": ["a", "b", "c"]}), "labels/moving.parquet", filesystem=s3)
    with pytest.raises(LabelRiskError, match="s3://labels/moving.parquet was written by others meanwhile"):
        list(batches)

    def theirs(beside):
        beside.write_bytes(b"ours")
        with s3.open_output_stream("labels/taken.parquet") as file:
            file.write(b"theirs")

    with pytest.raises(LabelRiskError, match="is there already"):
        deliver("taken", tmp_path, theirs)
    assert content(s3, "taken.parquet") == b"theirs"


def refuse(_, connection):
    body = b"<Error><Code>AccessDenied</Code><Message>late</Message></Error>"
    connection.sendall(b"HTTP/1.1 403 F\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.slow
@pytest.mark.parametrize(("at", "code"), [(refuse, 1), (lambda process, _: process.kill(), -signal.SIGKILL)])
def test_an_upload_that_ends_in_the_middle_leaves_nothing_under_the_name(upload, s3, at, code, tmp_path):
    status, said = upload(at)
    assert status == code, said
    assert "access is denied" in said or code != 1
    assert s3.get_file_info("labels/big.parquet").type == pyarrow.fs.FileType.NotFound
    assert (tmp_path / "whole").stat().st_size == 24 * 10**6


def test_an_end_while_it_is_put_together_leaves_nothing_under_the_name(s3, tmp_path):
    def ends(beside):
        beside.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver("half", tmp_path, ends)
    assert s3.get_file_info("labels/half.parquet").type == pyarrow.fs.FileType.NotFound


def test_a_folder_is_read_by_name_and_written_as_one_file_or_as_many(predict, s3, tmp_path):
    frame = table(90)
    frame.to_parquet("in.parquet")
    (tmp_path / "texts").mkdir()
    for name, part in (("b", frame[30:55]), ("a", frame[:30]), ("c", frame[55:])):
        part.to_parquet(f"texts/{name}.parquet", index=False)
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), f"labels/in/{name}.parquet", filesystem=s3)
    (tmp_path / "texts" / ".hidden.parquet").write_text("no Parquet")
    (tmp_path / "texts" / "notes.txt").write_text("no Parquet")
    predict("--in", "in.parquet", "--out", "whole.parquet")
    for at, source in enumerate(("texts", "texts/*.parquet", "s3://labels/in/", "s3://labels/in/?.parquet")):
        said = predict("--in", source, "--out", f"{at}.parquet")
        assert f"{at}.parquet: 90 rows, 90 with a label" in said
        assert Path(f"{at}.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    predict("--in", "texts/", "--out", "labelled/")
    assert sorted(path.name for path in (tmp_path / "labelled").iterdir()) == ["a.parquet", "b.parquet", "c.parquet"]
    parts = [pd.read_parquet(tmp_path / "labelled" / f"{name}.parquet") for name in "abc"]
    assert [len(part) for part in parts] == [30, 25, 35]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), pd.read_parquet("whole.parquet"))
    assert "labelled/ is there already" in predict("--in", "texts/", "--out", "labelled/", fails=True)
    assert "--out labelled is no table" in predict("--in", "in.parquet", "--out", "labelled", fails=True)
    frame.assign(number="x").to_parquet("texts/d.parquet")
    said = predict("--in", "texts", "--out", "out.parquet", fails=True)
    assert "texts/d.parquet has other columns, or of other types, than texts/a.parquet" in said


def test_rows_in_the_middle_of_a_file_are_read_without_the_others(tmp_path):
    texts = [f"t{at}" for at in range(100)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "in.parquet", row_group_size=7)
    found = open_parquet(places.place_of(str(tmp_path / "in.parquet")))
    for first, count in ((0, 100), (0, 1), (13, 3), (14, 7), (20, 55), (99, 1)):
        read = [one for batch in found.texts_from(first, count, "text") for one in batch["text"].to_pylist()]
        assert read == texts[first : first + count]


def test_a_node_that_has_other_files_than_this_machine_is_refused(root, tmp_path):
    table(5).to_parquet(tmp_path / "in.parquet")
    unsaid = dict.fromkeys(Options._fields) | {"text": "text", "prefix": "", "uncalibrated": True}
    options = Options(**unsaid | {"classifier": root / "classifiers" / "distilled"})
    plan = Applied(options).plan
    chunk = {"number": [0], "first": [0], "rows": [5], "digest": [chunks.digest(table(5)["text"].tolist())]}
    for changes, says in (
        ({"device": "cuda bfloat16"}, ""),
        ({"classifier": "0123"}, "classifier is another on a node of the cluster ("),
        ({"--graph": "0123"}, "--graph is another on a node of the cluster (None, here 0123); give all nodes"),
    ):
        found = Labeller(str(tmp_path / "in.parquet"), "text", options, plan | changes)(chunk)
        assert found["sentence"][0].startswith(says)
        assert bool(found["sentence"][0]) == bool(says)
        assert bool(found["part"][0]) != bool(says)


@pytest.mark.slow
def test_a_process_killed_while_it_labels_for_s3_goes_on_with_the_same_bytes(s3, server, root, tmp_path):
    pq.write_table(pa.Table.from_pandas(rows(60_000, seed=4)), "labels/many.parquet", filesystem=s3)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def command(out):
        words = ["predict", "--in", "s3://labels/many.parquet", "--out", out, "--uncalibrated"]
        return [sys.executable, "-m", "labelrisk", *words, "--classifier", str(root / "classifiers" / "distilled")]

    options = {"cwd": tmp_path, "env": environment, "stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command("s3://labels/killed.parquet"), **options)
    parts = tmp_path / folder_of("s3://labels/killed.parquet")
    deadline = time.monotonic() + 240
    while process.poll() is None and len(list(parts.glob("0*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 3 <= len(list(parts.glob("0*.parquet"))) < 15
    assert s3.get_file_info("labels/killed.parquet").type == pyarrow.fs.FileType.NotFound
    for out in ("s3://labels/killed.parquet", "here.parquet"):
        subprocess.run(command(out), check=True, **options)
    assert content(s3, "killed.parquet") == (tmp_path / "here.parquet").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["here.parquet"]
