"""`labelrisk predict` on a Ray that runs: the bytes of this machine, whatever ends in between."""

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from applied_study import rows, study
from ray_nodes import two_nodes, wait_for

from labelrisk.applying.parts import folder_of
from labelrisk.cli import main

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root():
    return study()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a Ray of two nodes on this machine."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    yield nodes.address
    nodes.shutdown()


def started(root, folder, *words):
    """The command in a process of its own, in a folder without params.yaml."""
    command = [sys.executable, "-m", "labelrisk", "predict", "--classifier", str(root / "classifiers" / "distilled")]
    options = {"env": os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, "cwd": folder, "text": True}
    return subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def run(root, folder, *words):
    """The same, until it has ended."""
    process = started(root, folder, *words)
    out, errors = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, errors)


def test_two_nodes_give_the_same_bytes_as_this_machine(root, cluster, tmp_path):
    (tmp_path / "texts").mkdir()
    frame = rows(9_000, seed=4)
    for name, part in (("a", frame[:5_000]), ("b", frame[5_000:])):
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), tmp_path / "texts" / f"{name}.parquet")
    done = run(root, tmp_path, "--in", "texts", "--out", "here.parquet")
    assert done.returncode == 0, done.stderr
    on_ray = ("--in", "texts", "--out", "there.parquet", "--address", cluster)
    done = run(root, tmp_path, *on_ray)
    assert done.returncode == 0, done.stderr
    assert "there.parquet: 9,000 rows, 9,000 with a label" in " ".join(done.stdout.split())
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()


def test_parts_of_this_machine_are_gone_on_with_on_ray(root, cluster, tmp_path, monkeypatch):
    from labelrisk.applying import applied

    rows(9_000, seed=5).to_parquet(tmp_path / "in.parquet")
    done = run(root, tmp_path, "--in", "in.parquet", "--out", "here.parquet")
    assert done.returncode == 0, done.stderr
    real, calls = applied.say, []
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(applied, "say", lambda *of: real(*of) if calls.append(1) or len(calls) < 2 else 1 / 0)
        words = ["predict", "--in", "in.parquet", "--out", "out.parquet"]
        assert main([*words, "--classifier", str(root / "classifiers" / "distilled")]) == 70
    parts = folder_of(str(tmp_path / "out.parquet"))
    assert [path.name for path in parts.glob("0*")] == ["00000000.parquet"]
    done = run(root, tmp_path, "--in", "in.parquet", "--out", "out.parquet", "--engine", "ray", "--address", cluster)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert not parts.exists()


def test_a_node_that_is_killed_in_the_middle_loses_nothing(root, tmp_path):
    pq.write_table(pa.Table.from_pandas(rows(80_000, seed=6), preserve_index=False), tmp_path / "in.parquet")
    done = run(root, tmp_path, "--in", "in.parquet", "--out", "here.parquet")
    assert done.returncode == 0, done.stderr
    parts = tmp_path / folder_of("there.parquet")
    with two_nodes() as nodes:
        process = started(root, tmp_path, "--in", "in.parquet", "--out", "there.parquet", "--address", nodes.address)
        wait_for(lambda: process.poll() is not None or len(list(parts.glob("0*"))) >= 2, timeout=120)
        assert process.poll() is None, process.communicate()
        nodes.kill(nodes.other)
        errors = process.communicate(timeout=240)[1]
    assert process.returncode == 0, errors
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert not parts.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["--in", "in.csv"],
            "in.csv is no Parquet, of which Ray reads parts; write it as such, or give --engine local",
        ),
        (["--in", "in.parquet", "--address", "127.0.0.1:9"], "no Ray cluster answers at '127.0.0.1:9'"),
    ],
)
def test_what_can_not_be_is_one_sentence(root, tmp_path, words, says):
    frame = rows(50, seed=5)
    frame.to_parquet(tmp_path / "in.parquet")
    frame.to_csv(tmp_path / "in.csv")
    done = run(root, tmp_path, "--out", "out.parquet", "--engine", "ray", *words)
    assert done.returncode == 1
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "out.parquet").exists()
