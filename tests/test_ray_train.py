"""The stage train on a real Ray cluster of two nodes: what is killed loses what was being trained, and no more."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import ray_study
from dvc_study import ENVIRONMENT
from ray_nodes import two_nodes, wait_for
from servers import free_port

pytestmark = pytest.mark.slow  # of all this, test_ray.py holds what needs no cluster


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    ray_study.write(folder)
    return folder


def started(project, address, study, out):
    """The stage in a process of its own, which may be killed."""
    environment = os.environ | {"PYTHONPATH": f"{project / 'src'}:{project / 'tests'}"}
    command = [sys.executable, ray_study.__file__, address, str(study), str(out)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def ended(process):
    _, said = process.communicate(timeout=280)
    assert process.returncode == 0, said


def stored(out):
    """When each student in the store was written."""
    return {path: path.stat().st_mtime_ns for path in out.glob("local/students/*/gold/all/*/student.json")}


def contents(out):
    """The bytes of all outputs by their paths."""
    folders = [out / name for name in ("models", "predictions", "logs")]
    return {
        path.relative_to(out): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()
    }


def test_after_a_killed_driver_only_what_is_missing_is_trained_and_the_bytes_are_the_local_ones(
    study, project, tmp_path
):
    pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
    out, local = tmp_path / "cluster", tmp_path / "machine"
    with two_nodes() as nodes:
        driver = started(project, nodes.address, study, out)
        wait_for(lambda: len(stored(out)) >= 3, 120)
        driver.kill()
        driver.wait()
        before = stored(out)
        assert len(before) < 10
        assert contents(out) == {}  # no half-written output
        ended(started(project, nodes.address, study, out))
    after = stored(out)
    assert len(after) == 10
    assert {path: after[path] for path in before} == before  # not trained again
    ended(started(project, "", study, local))
    assert contents(out) == contents(local)
    assert len(contents(out)) > 30


def test_one_command_of_ray_starts_a_cluster_trains_on_it_and_ends_it(study, tmp_path, project):
    """As the how-to for Slurm has it; among processes of its own, since it ends all of Ray's that it sees."""
    pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("no right to see no other processes")
    address = f"127.0.0.1:{free_port()}"
    environment = ENVIRONMENT | {"RAY_ADDRESS": address, "RAY_USAGE_STATS_ENABLED": "0", "HOME": str(tmp_path)}
    environment |= {"PYTHONPATH": f"{project / 'src'}:{project / 'tests'}"}
    command = ["ray", "symmetric-run", "--address", address, "--min-nodes", "1", "--num-cpus=1"]
    command += ["--object-store-memory=80000000", "--", sys.executable, ray_study.__file__, address]
    done = subprocess.run(
        [*alone, *command, str(study), str(tmp_path / "out")], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Running command on head node" in done.stdout
    assert len(stored(tmp_path / "out")) == 10


def test_another_engine_makes_nothing_out_of_date(project, tmp_path):
    """As DVC says of the whole pipeline, whatever else it says of it here."""
    files = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"], cwd=project, capture_output=True, text=True
    )
    for name in files.stdout.split("\0"):
        if name and (project / name).is_file() and not name.startswith(("docs/", "tests/", "benchmarks/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / name, tmp_path / name)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, env=ENVIRONMENT)

    def status():
        done = subprocess.run(
            ["dvc", "status", "--json"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    before = status()
    params = tmp_path / "params.yaml"
    text = params.read_text().replace("\nengine:", "\nformer:")
    assert "\nengine:" not in text
    params.write_text(text + "\nengine: {kind: ray, address: 'ray://head:10001', jobs: 7, gpus: 0.5}\n")
    assert status() == before
    params.write_text(params.read_text().replace("steps: 120", "steps: 121"))  # of train: this it does see
    assert status() != before
