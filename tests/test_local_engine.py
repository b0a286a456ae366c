"""Tasks in processes of this machine: used again, a sentence for what goes wrong, and an end with who started them."""

import os
import signal
import subprocess
import sys
from functools import partial

import engine_tasks
import psutil
import pytest
from faulty_study import wait_for
from students import recipe

from labelrisk.engines import local, machine
from labelrisk.engines.contract import Needs
from labelrisk.engines.kinds import opened
from labelrisk.errors import LabelRiskError
from labelrisk.settings.engine import EngineSettings
from labelrisk.students.wanted import GIB, at_once

ONE = Needs()


def computed(function, tasks, jobs, into):
    """Add results to `into` as they come."""
    with opened(EngineSettings(), jobs=jobs) as engine:
        into.extend(engine.results(function, tasks, ONE))


def test_each_place_has_its_result_and_workers_are_used_again():
    with opened(EngineSettings(jobs=2)) as engine:
        found = dict(engine.results(partial(engine_tasks.square, 100), range(10), Needs(cores=3)))
        assert {place: value for place, (value, _, _) in found.items()} == {n: 100 + n * n for n in range(10)}
        workers = {process for _, process, _ in found.values()}
        assert len(workers) == 2
        assert os.getpid() not in workers
        again = dict(engine.results(partial(engine_tasks.square, 0), range(6), ONE))  # another function
        assert {place: value for place, (value, _, _) in again.items()} == {n: n * n for n in range(6)}
        assert {process for _, process, _ in again.values()} == workers
    assert not [process for process in workers if psutil.pid_exists(process)]


def test_one_at_a_time_is_computed_here(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = []
    computed(partial(engine_tasks.square, 0), range(3), 1, found)
    assert found == [(n, (n * n, os.getpid(), "1")) for n in range(3)]


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        ([1, 0, 2, 3, 5, 7, 9], "^task 2 has no rows; add some$"),
        (
            [1, 0, 4, 3, 5, 7, 9],
            "^task 4: its process was killed, perhaps since memory ran out .*; run again to go on$",
        ),
    ],
)
def test_a_failure_is_a_sentence_and_what_was_begun_is_kept(tmp_path, tasks, sentence):
    """The first two have begun; the second ends at once, the third fails while the first still runs."""
    found = []
    with pytest.raises(LabelRiskError, match=sentence):
        computed(partial(engine_tasks.named, tmp_path), [engine_tasks.Named(task) for task in tasks], 2, found)
    assert sorted(found) == [(0, 1), (1, 0)]
    assert len(list(tmp_path.iterdir())) == 3  # no other was begun


def test_a_fault_keeps_its_traceback(tmp_path):
    with pytest.raises(IndexError) as caught:
        computed(partial(engine_tasks.faulty, tmp_path), [6, 0], 2, [])
    assert "engine_tasks.py" in "".join(caught.value.__notes__)


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_who_started_it(tmp_path, project, end):
    """SIGINT goes to all, as from a terminal, the others to the first process alone."""
    paths = os.pathsep.join([str(project / "src"), str(project / "tests")])
    process = subprocess.Popen(
        [sys.executable, engine_tasks.__file__, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip
    wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2, 60)
    started = psutil.Process(process.pid).children(recursive=True)
    assert {int(path.stem) for path in tmp_path.glob("*.pid")} <= {child.pid for child in started}
    os.killpg(process.pid, end) if end == signal.SIGINT else process.send_signal(end)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == (-9 if end == signal.SIGKILL else 128 + end)
    if end != signal.SIGKILL:
        assert said.split("\n")[1:] == ["labelrisk train: interrupted; what was done is kept, run again to go on", ""]
    _, left = psutil.wait_procs(started, timeout=20)
    assert not left


@pytest.mark.parametrize(
    ("cores", "threads", "memory", "model", "jobs"),
    [
        (2, 1, 16, "embedded", 2),
        (16, 1, 64, "embedded", 16),
        (16, 4, 64, "embedded", 4),
        (16, 1, 6.5, "embedded", 4),  # 1.5 GiB each
        (16, 1, 6.5, "FacebookAI/roberta-base", 1),  # 4 GiB each
        (1, 2, 0.5, "embedded", 1),
    ],
)
def test_jobs_by_cores_and_memory(monkeypatch, cores, threads, memory, model, jobs):
    monkeypatch.setattr(local, "has_gpu", lambda: False)
    monkeypatch.setattr(local, "cores", lambda: cores)
    monkeypatch.setattr(local, "free_memory", lambda: memory * GIB)
    assert at_once(recipe(threads=threads, model=model), EngineSettings()) == jobs
    assert at_once(recipe(threads=threads, model=model), EngineSettings(jobs=7)) == 7


def test_one_at_a_time_on_a_gpu(monkeypatch):
    monkeypatch.setattr(local, "has_gpu", lambda: True)
    monkeypatch.setattr(local, "cores", lambda: 16)
    assert at_once(recipe(), EngineSettings()) == 1


def test_gpus_are_asked_of_a_cluster_alone():
    with pytest.raises(ValueError, match=r"gpus is asked of a cluster, .*; leave it out, or set kind: ray"):
        EngineSettings(gpus=1)
    assert EngineSettings(kind="ray", gpus=0.5).gpus == 0.5


def test_cores_and_memory_of_this_machine():
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
    assert machine.free_memory() > 0.1 * GIB


@pytest.mark.parametrize(
    ("device", "visible", "found"),
    [("nvidia0", None, True), ("nvidia3", "0", True), ("nvidia3", "", False), ("nvidiactl", None, False)],
)
def test_a_gpu_is_one_that_may_be_used_whatever_its_number(tmp_path, monkeypatch, device, visible, found):
    (tmp_path / device).touch()
    monkeypatch.setattr(machine, "DEVICES", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.has_gpu() is found
