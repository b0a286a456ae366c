"""Finished students outside of DVC's outputs: whole or not there, known by all that their bytes depend on."""

import json
import shutil
from pathlib import Path

import pytest
from students import CLASSES, Stage, recipe, tiny_model

from labelrisk.settings.presets import recipe_of
from labelrisk.stages import train
from labelrisk.students import keys, store
from labelrisk.students.one_student import _encoder, _test, train_student
from labelrisk.students.store import Store, link
from labelrisk.students.task import FinishedStudent, SharedInputs, StudentTask

STUDENT = FinishedStudent({"model/weights": b"1234", "predictions.parquet": b"56"}, 10, 1.5)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stored(source="gold", rows=None):
    return Store(Path(".labelrisk/students")).students(source, rows)


def test_what_is_kept_is_there_in_full_and_git_does_not_see_it():
    students = stored()
    assert not students.has("key")
    assert not students.is_whole("key")
    students.keep("key", STUDENT)
    assert students.is_whole("key")
    assert stored().path("key", "model/weights").read_bytes() == b"1234"
    assert not stored("other").has("key")
    assert not stored(rows=50).has("key")
    assert Path(".labelrisk/students/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model" / "weights").write_bytes(b"1235"),
        lambda folder: (folder / "model" / "weights").write_bytes(b"123"),
        lambda folder: (folder / "model" / "weights").unlink(),
        lambda folder: shutil.rmtree(folder / "model"),
        lambda folder: (folder / "student.json").write_text("{"),
        lambda folder: (folder / "student.json").write_text("[]"),
        lambda folder: (folder / "student.json").unlink(),
    ],
)
def test_what_is_damaged_is_not_whole_and_is_replaced(damage):
    students = stored()
    students.keep("key", STUDENT)
    damage(students.path("key", ""))
    assert not students.is_whole("key")
    students.keep("key", STUDENT)
    assert students.is_whole("key")


def test_what_was_delivered_is_known_when_it_is_gone():
    students = stored()
    for key in ("a", "b", "c"):
        students.keep(key, STUDENT)
    students.deliver(["a", "b"])
    students.deliver(["b"])
    assert [key for key in "abc" if students.has(key)] == ["b"]
    assert [key for key in "abc" if stored().was_delivered(key)] == ["a", "b"]


def test_sources_and_sizes_that_are_not_declared_go_and_other_studies_stay(tmp_path, monkeypatch):
    for source, rows in (("gold", None), ("gold", 50), ("gold", 100), ("gone", None)):
        stored(source, rows).keep("key", STUDENT)
    (tmp_path / "studies" / "babe").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "studies" / "babe")
    shared = Store(Path("../../.labelrisk/students"))
    shared.students("gone").keep("key", STUDENT)
    monkeypatch.chdir(tmp_path)
    Store(Path(".labelrisk/students")).prune(["gold"], [50], ["gold"])
    left = {path.parent.relative_to(".labelrisk/students").as_posix() for path in Path().rglob("student.json")}
    assert left == {"+/gold/all/key", "+/gold/50/key", "+studies+babe/gone/all/key"}
    Store(Path(".labelrisk/students")).prune(["gold"], [50], [])
    assert not stored("gold", 50).has("key")


def test_a_temporary_experiment_takes_from_its_project_and_removes_nothing(tmp_path, monkeypatch):
    """`dvc exp run --temp` and the queue work in copies, which DVC deletes."""
    stored().keep("key", STUDENT)
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "standalone" / "tmpabc"
    (copy / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert stored().has("key")
    stored().keep("more", STUDENT)
    stored().deliver(["more"])
    Store(Path(".labelrisk/students")).prune([], [], [])
    monkeypatch.chdir(tmp_path)
    assert stored().has("key")
    assert stored().has("more")
    assert not stored().was_delivered("more")


def test_what_an_experiment_trains_stays_while_its_project_delivers_and_prunes(stage, tmp_path, monkeypatch):
    """Both at once: the project's stage removes what is out of date there, and the experiment has not linked it yet."""
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "standalone" / "tmpabc"
    (copy / ".dvc").mkdir(parents=True)
    train_missing = train.train_missing

    def then_the_project_delivers(*given):
        train_missing(*given)
        monkeypatch.chdir(tmp_path)
        stored().deliver(["other"])
        Store(Path(".labelrisk/students")).prune([], [], [])
        monkeypatch.chdir(copy)

    monkeypatch.setattr(train, "train_missing", then_the_project_delivers)
    monkeypatch.chdir(copy)
    assert run(stage, copy, (0,), Path(".labelrisk/students")) == [0]
    assert (copy / "predictions" / "0.parquet").is_file()
    monkeypatch.chdir(tmp_path)
    assert len(list(Path(".labelrisk").rglob("student.json"))) == 1
    stored().deliver(["other"])  # nobody trains now
    assert not list(Path(".labelrisk").rglob("student.json"))


@pytest.mark.parametrize("has_links", [True, False])
def test_outputs_are_links_or_copies_where_there_can_be_none(monkeypatch, has_links):
    def refuse(*_):
        raise OSError

    if not has_links:
        monkeypatch.setattr(store.os, "link", refuse)
    Path("from/inner").mkdir(parents=True)
    Path("from/inner/file").write_text("content")
    link(Path("from"), Path("to"))
    link(Path("from/inner/file"), Path("deep/down/file"))
    for path in (Path("to/inner/file"), Path("deep/down/file")):
        assert path.read_text() == "content"
        assert path.samefile("from/inner/file") == has_links


def test_a_key_changes_with_all_that_bytes_depend_on(monkeypatch):
    Path("encoder").mkdir()
    Path("encoder/weights").write_text("1")
    plain = {"inputs": "a", "training": "b", "recipe": recipe(model="encoder"), "seed": 0}
    found = {keys.student_key(**plain)}
    assert found == {keys.student_key(**plain)}
    for change in (
        {"inputs": "c"}, {"training": "c"}, {"seed": 1}, {"rows": 50}, {"order": 1},
        {"recipe": recipe(model="encoder", threads=2)}, {"recipe": recipe(model="encoder", dropout=0.2)},
        {"recipe": recipe(model="embedded")}, {"recipe": recipe(model="a/name", revision="abc")},
    ):  # fmt: skip
        found.add(keys.student_key(**(plain | change)))
    Path("encoder/weights").write_text("12")
    found.add(keys.student_key(**plain))
    monkeypatch.setattr(keys, "LIBRARIES", ("torch", "pyarrow"))
    found.add(keys.student_key(**plain))
    assert len(found) == 12


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    return Stage(folder, str(tiny_model(folder / "model", "bert")), epochs=1)


def run(stage, root, seeds, students=None):
    """The stage train with a store that stays."""
    (root / "training").mkdir(exist_ok=True)
    for seed in seeds:
        shutil.copy(stage.folder / "training.parquet", root / "training" / f"{seed}.parquet")
    stage.settings.seeds = seeds
    shared = (stage.folder / name for name in ("test.parquet", "labels.json", "labels.json"))
    outputs = (root / name for name in ("models", "predictions", "logs", "durations.jsonl"))
    train.run(stage.settings, "gold", root / "training", *shared, students or root / "local" / "students", *outputs)
    lines = (root / "durations.jsonl").read_text().splitlines()
    return [json.loads(line)["seed"] for line in lines]


def test_a_seed_more_trains_one_and_a_damaged_one_is_trained_again(stage, tmp_path):
    assert run(stage, tmp_path, (0, 1)) == [0, 1]
    assert run(stage, tmp_path, (0, 1)) == [0, 1]
    assert run(stage, tmp_path, (0, 1, 2)) == [0, 1, 2]
    before = {path: path.read_bytes() for path in (tmp_path / "models").rglob("*") if path.is_file()}
    assert len(before) == 12
    weights = sorted((tmp_path / "models").rglob("model.safetensors"))[1]
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)  # a link: what changes an output changes what is stored
    assert run(stage, tmp_path, (0, 1, 2)) == [0, 1, 2, 1]
    assert {path: path.read_bytes() for path in before} == before
    assert run(stage, tmp_path, (2,)) == [0, 1, 2, 1]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["2"]
    assert len(list((tmp_path / "local").rglob("student.json"))) == 1


def test_a_student_is_the_same_whoever_was_trained_before_it(stage):
    shared = SharedInputs((stage.folder / "test.parquet").read_bytes(), tuple(CLASSES))
    training = (stage.folder / "training.parquet").read_bytes()
    tasks = [StudentTask("gold", seed, training, "t", recipe_of(stage.settings.train)) for seed in (0, 1)]
    for cached in (_encoder, _test):
        cached.cache_clear()
    alone = train_student(shared, tasks[1])
    train_student(shared, tasks[0])
    after = train_student(shared, tasks[1])
    assert alone.files == after.files
    assert alone.files.keys() >= {"model/model.safetensors", "predictions.parquet", "logs/metrics.json"}
    bare = train_student(shared, tasks[1]._replace(is_kept=False))
    assert set(bare.files) == {"predictions.parquet", "logged.json"}
    assert bare.files["predictions.parquet"] == alone.files["predictions.parquet"]
