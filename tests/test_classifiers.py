"""Classifiers in folders: what the stages ensemble and distil write, and labelrisk.load reads."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from prepared_folder import write_prepared
from students import CLASSES, Stage, recipe, texts, tiny_model

import labelrisk
from labelrisk.classifiers.folders import write_ensemble
from labelrisk.comparison.runs import runs_of
from labelrisk.errors import LabelRiskError
from labelrisk.settings.distil import DistilSettings
from labelrisk.stages import distil

LEARNS = {"epochs": 20, "learning_rate": 3e-3}  # the first word of a text tells its class


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A stage and its two students of seeds 0 and 1: model folders and files of predictions."""
    folder = tmp_path_factory.mktemp("trained")
    stage = Stage(folder, str(tiny_model(folder / "tiny", "bert")), **LEARNS)
    runs = [stage.run(f"seed{seed}", seed) for seed in (0, 1)]
    return stage, [model for model, _, _ in runs], [predictions for _, predictions, _ in runs]


@pytest.fixture(scope="module")
def chosen(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifiers") / "chosen"
    folder.mkdir()
    write_ensemble(folder, "gold", CLASSES, 32, {("gold", seed): model for seed, model in enumerate(trained[1])})
    return folder


def test_it_says_in_one_line_what_its_students_voted(trained, chosen):
    found = labelrisk.load(chosen)
    rows, _ = texts(15, seed=5)  # the test rows
    said = [pd.read_parquet(path).query("split == 'test'")["probabilities"].tolist() for path in trained[2]]
    mean = np.mean([np.array(one) for one in said], axis=0)
    assert found.probabilities(rows) == pytest.approx(mean, abs=1e-3)
    assert found.predict(rows) == [CLASSES[code] for code in mean.argmax(axis=1)]
    assert (len(found), found.classes) == (2, tuple(CLASSES))
    assert found.probabilities([]).shape == (0, 3)
    assert found.predict([]) == []


def test_its_folder_may_be_moved_and_tells_no_path_and_no_time(trained, chosen, tmp_path):
    shutil.copytree(chosen, tmp_path / "elsewhere")
    rows, _ = texts(5)
    assert np.array_equal(labelrisk.load(tmp_path / "elsewhere").probabilities(rows),
                          labelrisk.load(str(chosen)).probabilities(rows))  # fmt: skip
    assert json.loads((chosen / "ensemble.json").read_text()) == {
        "ensemble": "gold",
        "classes": CLASSES,
        "probabilities": "mean",
        "max_tokens": 32,
        "members": ["gold-0", "gold-1"],
    }


def test_members_are_the_students_files(trained, chosen):
    for seed, model in enumerate(trained[1]):
        names = sorted(path.name for path in model.iterdir())
        assert sorted(path.name for path in (chosen / f"gold-{seed}").iterdir()) == names
        assert (chosen / f"gold-{seed}" / "model.safetensors").samefile(model / "model.safetensors")
        assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_files_are_copied_where_there_are_no_hard_links(trained, tmp_path, monkeypatch):
    def fails(*_):
        raise PermissionError

    monkeypatch.setattr("os.link", fails)
    write_ensemble(tmp_path, "gold", CLASSES, 32, {("gold", 0): trained[1][0]})
    copied = tmp_path / "gold-0" / "model.safetensors"
    assert copied.read_bytes() == (trained[1][0] / "model.safetensors").read_bytes()
    assert not copied.samefile(trained[1][0] / "model.safetensors")


def damaged(folder, **changes):
    content = json.loads((folder / "ensemble.json").read_text()) | changes
    (folder / "ensemble.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "ensemble.json").unlink(), "ensemble.json"),
        (lambda folder: (folder / "ensemble.json").write_text("{"), "ensemble.json"),
        (lambda folder: damaged(folder, probabilities="median"), "'probabilities' (found 'median')"),
        (lambda folder: damaged(folder, members=["../x-0"]), "'members.0' (found '../x-0')"),
        (lambda folder: damaged(folder, classes=["no", "yes"]), "is a model of other classes than ensemble.json names"),
        (lambda folder: shutil.rmtree(folder / "gold-1"), "lacks its member 'gold-1'"),
        (lambda folder: (folder / "gold-0" / "model.safetensors").write_bytes(b"x"), "can't be loaded"),
    ],
    ids=["absent", "no json", "median", "outside", "classes", "member", "weights"],
)
def test_what_is_wrong_is_one_sentence(chosen, tmp_path, spoil, says):
    shutil.copytree(chosen, tmp_path / "spoilt")
    spoil(tmp_path / "spoilt")
    with pytest.raises(LabelRiskError) as error:
        labelrisk.load(tmp_path / "spoilt")
    assert says in str(error.value)


def test_a_single_text_is_refused(chosen):
    with pytest.raises(LabelRiskError, match="a list of texts is asked for"):
        labelrisk.load(chosen).predict("good")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["a", None], "the text at place 1, from 0 on, is no str but NoneType; give texts alone"),
        ([3], "the text at place 0, from 0 on, is no str but int"),
        (pd.Series(["a", float("nan")], index=[7, 8]), "the text at place 1, from 0 on, is no str but float"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(chosen, wrong, says):
    with pytest.raises(LabelRiskError, match=says):
        labelrisk.load(chosen).predict(wrong)


def test_a_student_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LabelRiskError, match="source 'gold' has no student for seed 7"):
        write_ensemble(tmp_path, "gold", CLASSES, 32, {("gold", 7): tmp_path / "models" / "gold" / "7"})


def test_the_package_is_imported_without_what_is_slow():
    code = "import sys, labelrisk; print(sorted({'torch', 'transformers', 'numpy', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Distilling:
    """The files around the stage distil: 60 rows of train, some without gold, 20 of validation, 15 of test."""

    def __init__(self, root, model, chosen, labels="gold", gold=True):
        self.root, self.chosen = root, chosen
        self.settings = SimpleNamespace(
            train=recipe(model=model, **LEARNS),
            filter=SimpleNamespace(validation_labels=labels),
            distil=DistilSettings(seed=3, rows=50),
        )
        frames = []
        for split, count, seed in (("train", 60, 1), ("validation", 20, 2), ("test", 15, 5)):
            rows, codes = texts(count, seed)
            frames.append(pd.DataFrame({"id": [f"{split}{at}" for at in range(count)], "text": rows, "split": split,
                                        "gold": [CLASSES[code] for code in codes]}))  # fmt: skip
        rows = pd.concat(frames, ignore_index=True)
        rows.loc[::3, "gold"] = rows.loc[::3, "gold"].where(rows["split"] != "train")
        if not gold:
            rows["gold"] = rows["gold"].where(rows["split"] != "validation")
        write_prepared(root / "prepared", rows, rows[:0], CLASSES, {})

    def run(self):
        outputs = (self.root / "classifiers" / "distilled", self.root / "distilled.parquet")
        distil.run(self.settings, self.root / "prepared", self.chosen, *outputs)
        return outputs


@pytest.fixture(scope="module")
def distilled(trained, chosen, tmp_path_factory):
    root = tmp_path_factory.mktemp("distil")
    return (stage := Distilling(root, trained[0].settings.train.model, chosen)), stage.run()


def test_the_distilled_student_is_a_classifier_whose_run_is_on_file(distilled):
    _, (model, predictions) = distilled
    found, said = labelrisk.load(model), runs_of(predictions)("distilled", 3)
    assert len(found) == 1
    assert said.splits.tolist() == ["validation"] * 20 + ["test"] * 15
    assert found.probabilities(texts(15, seed=5)[0]) == pytest.approx(said.probabilities[20:], abs=1e-3)
    assert {path.name for path in model.parent.iterdir()} == {"distilled"}  # nothing is left beside it


def test_it_learns_what_the_ensemble_says(distilled, chosen):
    _, (model, _) = distilled
    rows, _ = texts(60, seed=1)
    teacher, taught = (labelrisk.load(folder).probabilities(rows) for folder in (chosen, model))
    fresh = np.full_like(teacher, 1 / 3)

    def distance(one):
        return -(teacher * np.log(one)).sum(axis=1).mean()

    assert distance(taught) < distance(fresh) - 0.05


def test_it_is_the_same_bytes_again(distilled):
    stage, outputs = distilled
    files = [outputs[1], outputs[0] / "ensemble.json", outputs[0] / "distilled-3" / "model.safetensors"]
    before = [path.read_bytes() for path in files]
    stage.run()
    assert [path.read_bytes() for path in files] == before


def test_without_gold_the_ensemble_chooses_its_checkpoint_where_that_is_asked_for(trained, chosen, tmp_path):
    model = trained[0].settings.train.model
    with pytest.raises(LabelRiskError, match="no validation row has a gold label"):
        Distilling(tmp_path / "gold", model, chosen, gold=False).run()
    _, predictions = Distilling(tmp_path / "annotator", model, chosen, labels="annotator", gold=False).run()
    assert len(runs_of(predictions)("distilled", 3).ids) == 35
