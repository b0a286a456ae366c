"""What every analysis keeps to: a function of a study that can't change, whose files stand in dvc.yaml."""

import numpy as np
import pandas as pd
import pytest
import yaml
from small_study import load_small_study, run_evaluate, settings, write_study

from labelrisk.comparison.analyses.kinds import ANALYSES
from labelrisk.comparison.analyses.source_scores import source_scores
from labelrisk.comparison.analyses.verdict import verdict
from labelrisk.comparison.outputs import write_outputs
from labelrisk.stages import evaluate


@pytest.fixture
def paths(tmp_path):
    return write_study(tmp_path)


@pytest.fixture
def study(paths):
    return load_small_study(paths, settings())


def run(paths):
    run_evaluate(paths, settings())


def test_every_output_stands_in_dvc_yaml_and_no_two_analyses_write_the_same(study, project):
    outputs = [path for analysis in ANALYSES for path in analysis(study)]
    stage = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]["evaluate"]
    entries = [entry for section in ("outs", "metrics", "plots") for entry in stage.get(section, [])]
    declared = [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]
    assert sorted(outputs) == sorted(set(declared) - {"data/runs/all.parquet"})


def test_what_dvc_lists_by_itself_is_one_number_a_source(study, project):
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    listed = [next(iter(entry)) for stage in stages.values() for entry in stage.get("do", stage).get("metrics", [])]
    assert listed == ["metrics/macro_f1.json"]
    written = verdict(study)
    assert list(written["metrics/macro_f1.json"]) == list(study.students)
    sources = source_scores(study)["metrics/sources.json"]
    assert written["metrics/macro_f1.json"] == {name: of["macro_f1"] for name, of in sources.items()}


def test_the_arrays_of_a_study_can_not_be_changed(study):
    students, labels, rows = study.students["wavering"], study.annotators_on_test["llm"], study.training_rows["perfect"]
    arrays = [students.probabilities, students.predictions, students.counts, labels.codes, labels.counts]
    for array in [*arrays, study.test.gold, study.train.gold, rows.codes, rows.origins.codes]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        study.classes = ()


def test_a_study_holds_what_was_measured(study):
    assert study.classes == ("north", "south", "west")
    assert (len(study.test.ids), len(study.train.gold)) == (60, 8)  # two train rows have no gold label
    assert list(study.students) == list(study.training_rows) == ["perfect", "constant", "wavering"]
    assert study.students["constant"].probabilities.shape == (3, 60, 3)
    assert study.students["constant"].counts.shape == (3, 3, 4)
    assert study.students["constant"].counts.sum() == 3 * 60
    assert list(study.annotators_on_train) == ["llm"]
    assert int((study.training_rows["wavering"].codes >= 0).sum()) == 9


def test_an_analysis_that_fails_leaves_all_files_as_they_were(paths, monkeypatch):
    def fails(study):
        raise ZeroDivisionError

    monkeypatch.setattr(evaluate, "ANALYSES", (*ANALYSES, fails))
    with pytest.raises(ZeroDivisionError):
        run(paths)
    assert not [*paths["metrics"].iterdir(), *paths["plots"].iterdir()]
    assert not (paths["metrics"].parent / "runs.parquet").exists()


def test_a_picture_that_fails_leaves_all_files_as_they_were(tmp_path):
    def draw(path):
        path.write_bytes(b"half")
        raise ZeroDivisionError

    (tmp_path / "scores.json").write_text("before")
    outputs = {
        tmp_path / "scores.json": {"f1": 1},
        tmp_path / "f1.csv": pd.DataFrame({"f1": [1]}),
        tmp_path / "f1.png": draw,
    }
    with pytest.raises(ZeroDivisionError):
        write_outputs(outputs)
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]
    assert (tmp_path / "scores.json").read_text() == "before"


def test_outputs_are_written_by_their_kind(tmp_path):
    table = pd.DataFrame({"f1": [2 / 3, np.nan]})
    names = {
        "scores.json": {"f1": 0.5},
        "f1.csv": table,
        "f1.parquet": table,
        "f1.png": lambda path: path.write_bytes(b"drawn"),
    }
    write_outputs({tmp_path / name: output for name, output in names.items()})
    assert (tmp_path / "scores.json").read_text() == '{\n  "f1": 0.5\n}\n'
    assert (tmp_path / "f1.csv").read_bytes() == b'f1\n0.6667\n""\n'
    assert pd.read_parquet(tmp_path / "f1.parquet")["f1"][0] == 2 / 3
    assert (tmp_path / "f1.png").read_bytes() == b"drawn"
