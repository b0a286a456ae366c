"""Tasks on a real Ray cluster of two nodes on loopback, and its faults; the table of docs/howto/many_machines.md."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import ray_tasks
from ray_nodes import two_nodes, wait_for

from labelrisk.engines.contract import Needs
from labelrisk.errors import LabelRiskError

pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
pytestmark = pytest.mark.slow  # of all this, test_ray.py holds what needs no cluster


@pytest.fixture(scope="module")
def nodes():
    with two_nodes() as found:
        yield found


@pytest.fixture
def engine(nodes):
    with nodes.engine() as found:
        yield found


def sentence_of(engine, function, tasks, needs=ray_tasks.ONE):
    """The one sentence that tasks end with."""
    with pytest.raises(LabelRiskError) as caught:
        list(engine.results(function, tasks, needs))
    said = str(caught.value)
    assert "\n" not in said
    assert "Traceback" not in said
    assert len(said) < 400
    return said


def test_results_come_with_their_places_from_both_nodes(engine, tmp_path):
    found = dict(engine.results(partial(ray_tasks.sleep, tmp_path, 0.2), range(12), ray_tasks.ONE))
    assert [found[place][0] for place in range(12)] == list(range(12))
    assert len({node for _, node in found.values()}) == 2
    assert not list(engine.results(ray_tasks.square, [], ray_tasks.ONE))
    assert dict(engine.results(ray_tasks.square, [3, 4], ray_tasks.ONE)) == {0: 9, 1: 16}


def test_workers_are_used_again_and_run_the_code_and_threads_of_the_driver(nodes, tmp_path, project, monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", "sk-from-the-driver")
    with nodes.engine() as engine:
        found = [value for _, value in engine.results(ray_tasks.about, range(8), Needs(cores=1))]
    texts, environments, processes = zip(*found, strict=True)
    assert set(texts) == {(project / "src" / "labelrisk" / "__init__.py").read_text()}
    assert len(set(processes)) <= 2
    assert {tuple(one.values()) for one in environments} == {("1", "10000", None)}


def test_a_driver_whose_code_was_edited_computes_with_it_on_all_nodes(nodes, tmp_path, project):
    shutil.copytree(project / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    errors = tmp_path / "src" / "labelrisk" / "errors.py"
    errors.write_text(errors.read_text() + "\n\ndef edited(task):\n    return task, __file__\n")
    code = (
        "import sys; from labelrisk.engines.kinds import opened; from labelrisk.errors import edited\n"
        "from labelrisk.engines.contract import Needs; from labelrisk.settings.engine import EngineSettings\n"
        "with opened(EngineSettings(kind='ray', address=sys.argv[1])) as engine:\n"
        "    for _, (task, file) in engine.results(edited, range(4), Needs()): print(task, file)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    command = [sys.executable, "-c", code, nodes.address]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = [line.split(" ", 1)[1] for line in done.stdout.splitlines()]
    assert len(files) == 4
    assert all("py_modules_files" in file for file in files), files
    assert done.stderr == ""


def test_what_tasks_share_is_sent_once_and_at_most_jobs_are_in_the_air(nodes, tmp_path):
    array = np.arange(4_000_000.0)  # 32 MB: two of them would fill a store's half
    with nodes.engine(jobs=1) as engine:
        found = dict(engine.results(partial(ray_tasks.sum_with, array), range(30), ray_tasks.ONE))
        assert [found[place][0] - array.sum() for place in range(30)] == list(range(30))
        list(engine.results(partial(ray_tasks.sleep, tmp_path, 0.3), range(4), ray_tasks.ONE))
    times = ray_tasks.begun(tmp_path)
    assert [task for task, *_ in times] == [0, 1, 2, 3]  # one after the other


def test_tasks_are_read_shortly_before_they_are_sent(nodes):
    class Tasks:
        read = 0

        def __len__(self):
            return 50

        def __getitem__(self, place):
            self.read += 1
            return place

    tasks = Tasks()
    with nodes.engine() as engine:
        for given, _ in enumerate(engine.results(ray_tasks.square, tasks, ray_tasks.ONE)):
            assert tasks.read <= given + 1 + 4 + 1  # two for each of two cores


def test_a_mistake_is_its_own_sentence_and_what_runs_is_given_as_well(engine):
    given, results = [], engine.results(partial(ray_tasks.refuse, 2), range(40), ray_tasks.ONE)
    with pytest.raises(LabelRiskError, match="^row 2 has no text; add it$"):
        given.extend(place for place, _ in results)
    assert {0, 1} <= set(given)
    assert len(given) < 12


def test_a_fault_of_the_code_keeps_its_kind_and_a_full_disk_names_its_node(engine):
    with pytest.raises(IndexError) as caught:
        list(engine.results(ray_tasks.fail, [5], ray_tasks.ONE))
    assert "ray_tasks.py" in str(caught.value.__cause__)
    said = sentence_of(engine, ray_tasks.fill_the_disk, [0])
    assert said.startswith("on the node ")
    assert "/scratch/model can't be written, since the disk or a quota is full" in said


def test_a_worker_that_is_killed_once_costs_its_task_once_more(engine, tmp_path):
    found = dict(engine.results(partial(ray_tasks.be_killed_once, tmp_path), range(4), ray_tasks.ONE))
    assert found == {place: place for place in range(4)}
    assert [task for task, *_ in ray_tasks.begun(tmp_path)].count(0) == 2


def test_a_worker_that_is_always_killed_is_one_sentence_after_three_tries(engine, tmp_path):
    said = sentence_of(engine, partial(ray_tasks.be_killed, tmp_path), [7])
    assert said.startswith("7: its process was killed, perhaps since memory ran out")
    assert len(ray_tasks.begun(tmp_path)) == 3


@pytest.mark.parametrize(
    ("needs", "jobs", "there"),
    [
        (Needs(gpus=1), None, "0 GPU"),
        (Needs(gpus=1), 2, "0 GPU"),
        (Needs(cores=64), None, "1 CPU"),
        (Needs(memory=1e12), None, "8.6 GB"),
    ],
)
def test_what_no_node_has_is_one_sentence_within_seconds(nodes, needs, jobs, there):
    with nodes.engine(jobs=jobs) as engine:
        started = time.monotonic()
        said = sentence_of(engine, ray_tasks.square, [1], needs)
        assert time.monotonic() - started < 15
    assert said.startswith("no node of the Ray cluster has what one task needs")
    assert f"{there}; ask for less (engine.gpus, train.threads), or add such a node" in said


def test_ctrl_c_cancels_what_runs_and_ends_within_seconds(nodes, tmp_path, project):
    code = (
        "import sys; from functools import partial; import ray_tasks\nfrom labelrisk.engines.kinds import opened\n"
        "from labelrisk.settings.engine import EngineSettings\n"
        "with opened(EngineSettings(kind='ray', address=sys.argv[1])) as engine:\n"
        "    list(engine.results(partial(ray_tasks.sleep, sys.argv[2], 60), range(4), ray_tasks.ONE))\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{project / 'src'}:{project / 'tests'}"}
    driver = subprocess.Popen([sys.executable, "-c", code, nodes.address, str(tmp_path)], env=environment, stderr=-1)
    wait_for(lambda: len(ray_tasks.begun(tmp_path)) == 2)
    driver.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, said = driver.communicate(timeout=10)
    assert time.monotonic() - started < 5
    assert said.decode().rstrip().endswith("KeyboardInterrupt")
    processes = [process for _, process, _ in ray_tasks.begun(tmp_path)]
    wait_for(lambda: not any(map(is_alive, processes)), timeout=10)
    assert len(ray_tasks.begun(tmp_path)) == 2


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
