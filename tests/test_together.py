"""Students trained together: each learns what it learns alone; and a step reads nothing from an accelerator."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from students import CLASSES, Stage, ids, recipe, tiny_model

from labelrisk.encoders import tokens
from labelrisk.errors import LabelRiskError
from labelrisk.settings.engine import EngineSettings
from labelrisk.settings.train import TrainSettings
from labelrisk.students import encoders, training
from labelrisk.students import wanted as wanted_module
from labelrisk.students.fast_layers import FastLayers
from labelrisk.students.one_student import train_group, train_student
from labelrisk.students.optimizer import AdamW
from labelrisk.students.runs import Lesson, Run
from labelrisk.students.stacks import Stack
from labelrisk.students.store import Store
from labelrisk.students.targets import Targets
from labelrisk.students.task import SharedInputs, StudentGroup, StudentTask
from labelrisk.students.wanted import WantedStudent, grouped

KINDS = ["bert", "roberta", "distilbert"]
ONE_FAST = ["roberta", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("bert", "distilbert"))]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {kind: str(tiny_model(tmp_path_factory.mktemp(kind), kind)) for kind in KINDS}


def load(folder: str, seed: int, dropout: float = 0.0) -> Any:
    return encoders.load_classifier(folder, None, CLASSES, dropout, seed)


def lessons(rows: list[int]) -> list[Lesson]:
    """Of so many rows each, and each of other ones."""
    found = []
    for seed, count in enumerate(rows):
        train, codes = ids(count, seed=seed)
        validation, validation_codes = ids(20, seed=10 + seed)
        found.append(Lesson(train, Targets(codes=codes), validation, validation_codes, seed))
    return found


def logged(lesson: Lesson) -> tuple[Lesson, list[Any]]:
    """A lesson that logs into a list."""
    entries: list[Any] = []

    def log(step: int, metrics: dict[str, float]) -> None:
        entries.append((step, metrics))

    return lesson._replace(log=log), entries


@pytest.mark.parametrize("kind", ONE_FAST)
def test_each_learns_what_it_learns_alone(folders: dict[str, str], kind: str) -> None:
    """Rows of their own, so that batches are not equally long or wide, epochs not equally many steps; other heads."""
    settings = recipe(dropout=0.0, epochs=2)
    given, logs = zip(*map(logged, lessons([43, 30, 21])), strict=True)
    together = training.fine_tune_together([load(folders[kind], seed) for seed in range(3)], given, settings)
    assert [one.steps for one in together] == [12, 8, 6]
    for seed, one in enumerate(together):
        lesson, entries = logged(given[seed])
        (alone,) = training.fine_tune_together([load(folders[kind], seed)], [lesson], settings)
        assert (one.step, one.steps) == (alone.step, alone.steps)
        for (name, weight), (_, value) in zip(
            one.model.named_parameters(), alone.model.named_parameters(), strict=True
        ):
            if not name.endswith(("key.bias", "k_lin.bias")):  # without effect: its gradient is rounding error
                torch.testing.assert_close(weight, value, rtol=0, atol=5e-6, msg=f"{name} is another")
        np.testing.assert_allclose(one.validation, alone.validation, atol=1e-5)
        assert [step for step, _ in logs[seed]] == [step for step, _ in entries]
        for (_, metrics), (_, values) in zip(logs[seed], entries, strict=True):
            assert metrics == pytest.approx(values, abs=1e-5)


def test_one_that_stops_early_stays_as_it_was(folders: dict[str, str]) -> None:
    """None is ever better: what they learn is not what they are validated on, after epochs of 5 and of 9 steps."""
    settings = recipe(dropout=0.0, budget="steps", steps=24, patience=1)
    given = [
        lesson._replace(targets=Targets(codes=np.zeros(count, dtype=np.int64)), validation_labels=np.ones(20, int))
        for count, lesson in zip((40, 72), lessons([40, 72]), strict=True)
    ]
    together = training.fine_tune_together([load(folders["bert"], seed) for seed in range(2)], given, settings)
    assert [(one.step, one.steps) for one in together] == [(5, 10), (9, 18)]
    for seed, one in enumerate(together):
        (alone,) = training.fine_tune_together([load(folders["bert"], seed)], [given[seed]], settings)
        assert (alone.step, alone.steps) == (one.step, one.steps)
        np.testing.assert_allclose(one.validation, alone.validation, atol=1e-5)


def test_each_has_dropout_of_its_own_and_one_group_is_one_set_of_bytes(folders: dict[str, str]) -> None:
    lesson = lessons([24])[0]

    def trained(dropout: float) -> list[np.ndarray[Any, Any]]:
        models = [load(folders["bert"], 0, dropout) for _ in range(2)]  # the same head, and the same order of rows
        before = torch.random.get_rng_state()
        found = training.fine_tune_together(models, [lesson, lesson], recipe())
        assert torch.equal(torch.random.get_rng_state(), before)
        return [one.validation for one in found]

    first, second = trained(0.3)
    assert not np.allclose(first, second, atol=1e-4)
    np.testing.assert_array_equal([first, second], trained(0.3))
    first, second = trained(0.0)
    np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.slow
def test_a_stack_learns_in_bf16_with_dropout(folders: dict[str, str]) -> None:
    settings = recipe(precision="bf16", epochs=6, learning_rate=5e-3)
    tuned = training.fine_tune_together(
        [load(folders["roberta"], seed, 0.1) for seed in range(3)], lessons([200] * 3), settings
    )
    for seed, one in enumerate(tuned):
        assert (one.validation.argmax(1) == ids(20, seed=10 + seed)[1]).mean() > 0.85
        assert {parameter.dtype for parameter in one.model.parameters()} == {torch.bfloat16}


@pytest.mark.slow
def test_low_rank_students_can_be_trained_together(folders: dict[str, str]) -> None:
    settings = recipe(method="lora", rank=2, dropout=0.0, epochs=1)
    together = training.fine_tune_together(
        [load(folders["bert"], seed) for seed in range(2)], lessons([16] * 2), settings
    )
    for seed, lesson in enumerate(lessons([16] * 2)):
        alone = training.fine_tune(load(folders["bert"], seed), *lesson[:4], settings, seed)
        np.testing.assert_allclose(together[seed].validation, alone.validation, atol=1e-5)


@pytest.mark.slow
def test_a_model_with_windows_is_trained_alone(tmp_path: Path) -> None:
    folder = str(tiny_model(tmp_path, "modernbert"))
    settings = recipe(epochs=1)
    together = training.fine_tune_together([load(folder, 0, 0.1), load(folder, 1, 0.1)], lessons([8, 8]), settings)
    alone = training.fine_tune(load(folder, 1, 0.1), *lessons([8, 8])[1][:4], settings, 1)
    np.testing.assert_array_equal(together[1].validation, alone.validation)


def test_an_accelerator_is_given_seeds_of_one_source_and_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wanted(source: str, seed: int, recipe: TrainSettings) -> WantedStudent:
        stored = Store(tmp_path).students(source)
        return WantedStudent("key", stored, source, seed, recipe, tmp_path, lambda: b"", is_kept=True)

    both = recipe(together=2)
    students = [wanted("a", seed, both) for seed in range(5)] + [wanted("b", 0, both), wanted("b", 1, recipe())]

    def seeds(engine: EngineSettings) -> list[list[tuple[str, int]]]:
        return [[(one.source, one.seed) for one in group] for group in grouped(students, engine)]

    expected = [[("a", 0), ("a", 1)], [("a", 2), ("a", 3)], [("a", 4)], [("b", 0)], [("b", 1)]]
    alone = [[(one.source, one.seed)] for one in students]
    for has in (True, False):  # of this machine, where tasks of a cluster are not computed
        monkeypatch.setattr(wanted_module, "has_gpu", lambda has=has: has)
        assert seeds(EngineSettings(kind="ray", gpus=0.5)) == expected
        assert seeds(EngineSettings(kind="ray")) == alone
        assert seeds(EngineSettings()) == (expected if has else alone)


def test_a_group_gives_the_files_of_each(folders: dict[str, str], tmp_path: Path) -> None:
    Stage(tmp_path, folders["bert"])
    shared = SharedInputs((tmp_path / "test.parquet").read_bytes(), tuple(CLASSES))
    training_file = (tmp_path / "training.parquet").read_bytes()
    how = recipe(model=folders["bert"], dropout=0.0, epochs=1)
    tasks = tuple(StudentTask("gold", seed, training_file, "t", how) for seed in (3, 4))
    group = StudentGroup(tasks)
    assert str(group) == "the students of source 'gold' with seeds 3, 4"
    for task, student in zip(tasks, train_group(shared, group), strict=True):
        alone = train_student(shared, task)
        assert student.files.keys() == alone.files.keys()
        ours, its = (
            np.stack(pd.read_parquet(io.BytesIO(one.files["predictions.parquet"]))["probabilities"].tolist())
            for one in (student, alone)
        )
        np.testing.assert_allclose(ours, its, atol=1e-5)


@pytest.mark.parametrize("students", [1, 3])
@pytest.mark.parametrize("kind", ONE_FAST)
def test_a_step_reads_nothing_from_the_device(folders: dict[str, str], kind: str, students: int) -> None:
    """On the device "meta" there are no values: whatever waits for one raises, as what mixes devices does."""
    models = [load(folders[kind], seed, 0.1).to("meta") for seed in range(students)]
    both = lessons([24] * students)
    for model in models:
        FastLayers(model, torch.bfloat16, np.arange(60, dtype=np.int32), None)
        model.train()
    stack = Stack(models) if students > 1 else None
    runs = [Run(model, lesson, recipe()) for model, lesson in zip(models, both, strict=True)]
    training.step_of(runs, stack)
    assert [run.step for run in runs] == [1] * students
    predicted = training.logits_of(models[0].eval(), both[0].validation, np.arange(20))
    assert (predicted.shape, predicted.device.type) == ((20, 3), "meta")
    with pytest.raises(RuntimeError, match="meta"):
        runs[0].optimizer.check()  # which does wait


def test_after_a_gradient_that_is_no_number_nothing_is_updated() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 4))
    optimizer = AdamW([weight], 0.1)
    for gradient in (float("nan"), 1.0):
        weight.grad = torch.full((4, 4), gradient)
        optimizer.step(0.1)
        assert weight.tolist() == torch.ones(4, 4).tolist()
    with pytest.raises(LabelRiskError, match="training diverged"):
        optimizer.check()


def test_padding_to_a_width_that_others_need() -> None:
    rows = tokens.ragged([[5, 6], [7, 8, 9]])
    padded, present = rows.padded(np.array([0, 1]), 0, multiple=4, least=5)
    assert padded.tolist() == [[5, 6, 0, 0, 0, 0, 0, 0], [7, 8, 9, 0, 0, 0, 0, 0]]
    assert present.sum() == 5


def test_what_lies_on_the_cpu_is_not_copied() -> None:
    from labelrisk.encoders.devices import moved

    array = np.arange(4)
    moved(array, torch.device("cpu"))[0] = 7
    assert array[0] == 7


@pytest.mark.parametrize(("students", "key"), [(2, "train.together .2 students at once."), (1, "train.batch_size")])
def test_too_little_memory_is_a_sentence(
    folders: dict[str, str], monkeypatch: pytest.MonkeyPatch, students: int, key: str
) -> None:
    def full(*ignored: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(training, "step_of", full)
    models = [load(folders["bert"], 0) for _ in range(students)]
    with pytest.raises(LabelRiskError, match=f"memory is too small for this training; lower {key}"):
        training.fine_tune_together(models, lessons([8] * students), recipe())


def test_models_without_rows_are_a_sentence(folders: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(LabelRiskError, match="no labelled train row"):
        training.fine_tune_together([load(folders["bert"], 0)] * 2, lessons([8, 0]), recipe())
