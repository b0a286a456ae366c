"""What holds of the Ray engine without a cluster; test_ray_*.py, which are slow, run on one."""

import re
import subprocess
import sys

import pytest
import yaml

from labelrisk.commands import _stage_code
from labelrisk.engines.kinds import opened
from labelrisk.errors import LabelRiskError
from labelrisk.settings.engine import EngineSettings


def engine_at(address):
    return opened(EngineSettings(kind="ray", address=address))


def test_without_ray_it_is_one_sentence_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(LabelRiskError) as caught, engine_at("127.0.0.1:9"):
        pass
    assert str(caught.value) == (
        'engine.kind is ray, which is not installed; run `pip install "labelrisk[ray]"`, or set kind: local'
    )


def test_the_local_engine_needs_no_ray():
    code = (
        "import sys; sys.modules['ray'] = None\nfrom labelrisk.engines.kinds import opened\n"
        "from labelrisk.engines.contract import Needs; from labelrisk.settings.engine import EngineSettings\n"
        "with opened(EngineSettings(jobs=1)) as engine: print(list(engine.results(abs, [-1, 2], Needs())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[(0, 1), (1, 2)]\n", done.stderr


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:9", "no Ray cluster answers at '127.0.0.1:9' ("),
        ("ray://127.0.0.1:9", "no Ray cluster answers at 'ray://127.0.0.1:9' ("),
        ("http://127.0.0.1:8265", "is 'http://127.0.0.1:8265', which is no address of a Ray cluster; give host:port"),
        ("head", "is 'head', which is no address of a Ray cluster"),
        ("head:99999999", "no Ray cluster answers at 'head:99999999' ("),
    ],
)
def test_an_address_that_is_none_is_one_sentence(address, words):
    pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
    with pytest.raises(LabelRiskError) as caught, engine_at(address):
        pass
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_node_with_another_torch_computes_nothing():
    pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
    from labelrisk.engines.ray_task import outcome, versions_here

    here = versions_here()
    found = outcome([], here | {"torch": "1.0"}, None)
    assert found.value is None
    assert f"has torch {here['torch']}, the machine that asks torch 1.0; install the same on both" in found.sentence
    # what only the asker has is missed when a task imports it
    with pytest.raises(IndexError):
        outcome([], here | {"jax": "1.0"}, None)


def test_a_file_that_a_node_does_not_see_asks_for_a_shared_file_system(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
    from labelrisk.engines import ray_task

    monkeypatch.setattr(ray_task, "_function", lambda reference: read_bytes)
    said = ray_task.outcome([None], {}, tmp_path / "vectors").sentence
    assert f"does not see {tmp_path / 'vectors'}; put the study on a file system that all nodes share" in said


@pytest.mark.parametrize(
    ("death", "words"),
    [
        ("OutOfMemoryError", "its node ran out of memory; give engine.jobs fewer at once, or the nodes more memory"),
        ("ActorDiedError", "its result was lost (The actor died unexpectedly before finishing this task.); run again"),
    ],
)
def test_actors_that_die_are_a_sentence(death, words):
    exceptions = pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])").exceptions
    from labelrisk.applying.ray_actors import _deaths_worded

    error = getattr(exceptions, death)
    with pytest.raises(LabelRiskError) as caught, _deaths_worded():
        raise error() if death == "ActorDiedError" else error("memory")
    assert f"an actor that labels chunks: {words}" in str(caught.value)


def read_bytes(path):
    return path.read_bytes()


def test_stages_that_pay_open_no_engine(project, monkeypatch):
    """Their requests leave from one process, which holds the call cache of its machine; nothing else may send them."""
    monkeypatch.setattr(_stage_code, "CARRIERS", set())  # also what changes no result
    package, imports = project / "src" / "labelrisk", {}

    def opens_engines(stage):
        code = _stage_code.closure(package / "stages" / f"{stage}.py", package, imports)
        return package / "engines" / "kinds.py" in code

    assert [stage for stage in ("annotate", "reannotate", "train") if opens_engines(stage)] == ["train"]


def test_no_stage_depends_on_how_things_are_computed(project):
    content = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    params = [name for stage in content.values() for name in stage.get("do", stage).get("params", [])]
    assert "train" in params
    assert not [name for name in params if name.partition(".")[0] == "engine"]


def yaml_blocks(page):
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S)]


def test_the_files_of_the_how_tos_are_read_by_what_they_are_for(project):
    pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
    from ray.autoscaler._private.util import prepare_config, validate_config

    pages = project / "docs" / "howto"
    assert EngineSettings.model_validate(yaml_blocks(pages / "many_machines.md")[0]["engine"]).kind == "ray"
    config = prepare_config(yaml_blocks(pages / "clouds.md")[0])
    validate_config(config)
    assert config["available_node_types"]["students"]["min_workers"] == 1
    cluster, job = yaml_blocks(pages / "kubernetes.md")
    assert (cluster["kind"], job["kind"]) == ("RayCluster", "RayJob")
    assert cluster["spec"]["rayVersion"] == job["spec"]["rayClusterSpec"]["rayVersion"]
