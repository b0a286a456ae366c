"""Thirty real students on a real Ray cluster of two nodes: one is killed, nothing is lost, and nothing comes twice."""

from collections import Counter
from functools import partial

import pytest
import ray_tasks
from ray_nodes import two_nodes, wait_for
from students import Stage, tiny_model

from labelrisk.engines.kinds import opened
from labelrisk.settings.engine import EngineSettings
from labelrisk.students.task import SharedInputs, StudentTask

pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
pytestmark = pytest.mark.slow  # of all this, test_ray.py holds what needs no cluster
STUDENTS = [(source, seed) for source in ("gold", "weak", "mixed") for seed in range(10)]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """What all students share, and the thirty, numbered."""
    folder = tmp_path_factory.mktemp("study")
    stage = Stage(folder, str(tiny_model(folder / "model", "bert")), epochs=4)
    test = (folder / "test.parquet").read_bytes()
    training = (folder / "training.parquet").read_bytes()
    tasks = [StudentTask(source, seed, training, "t.parquet", stage.settings.train) for source, seed in STUDENTS]
    return SharedInputs(test, ("no", "yes", "perhaps")), list(enumerate(tasks))


@pytest.fixture(scope="module")
def local(study, tmp_path_factory):
    """The files of each student, trained by processes of this machine."""
    shared, tasks = study
    function = partial(ray_tasks.train, tmp_path_factory.mktemp("local"), shared)
    with opened(EngineSettings(jobs=2)) as engine:
        found = dict(engine.results(function, tasks, ray_tasks.ONE))
    return [found[place].files for place in range(len(tasks))]


@pytest.fixture
def nodes():
    with two_nodes() as found:
        yield found


def trained(engine, folder, study):
    """Files by place as they come, each once."""
    shared, tasks = study
    for place, student in engine.results(partial(ray_tasks.train, folder, shared), tasks, ray_tasks.ONE):
        yield place, student.files


def test_both_nodes_train_and_the_bytes_are_the_local_ones(nodes, study, local, tmp_path):
    with nodes.engine() as engine:
        found = list(trained(engine, tmp_path, study))
    assert sorted(place for place, _ in found) == list(range(30))
    by_node = Counter(node for _, _, node in ray_tasks.begun(tmp_path))
    assert len(by_node) == 2
    assert min(by_node.values()) >= 5
    assert by_node.total() == 30
    for place, files in found:
        assert files.keys() == local[place].keys()
        assert "model/model.safetensors" in files
        assert [name for name in files if files[name] != local[place][name]] == []
    assert local[0]["predictions.parquet"] != local[1]["predictions.parquet"]
    # three sources of the same rows: a student is made of its rows and its seed alone
    assert local[0] == local[10]


def test_students_of_a_node_that_is_killed_are_trained_elsewhere(nodes, study, local, tmp_path):
    found, other = {}, nodes.other.node_id
    with nodes.engine() as engine:
        for place, files in trained(engine, tmp_path, study):
            assert place not in found
            found[place] = files
            if len(found) == 8:
                wait_for(lambda: any(node == other for _, _, node in ray_tasks.begun(tmp_path)))
                nodes.kill(nodes.other)
    assert [found[place] for place in range(30)] == local
    begun = Counter(task for task, *_ in ray_tasks.begun(tmp_path))
    assert len(begun) == 30
    again = [task for task, times in begun.items() if times > 1]
    assert len(again) <= 2  # the one that was being trained, or one whose files had not left the node
    last = {task: node for task, _, node in ray_tasks.begun(tmp_path)}
    assert all(last[task] != other for task in again)
