"""What every explanation keeps to: a function of the evidence, whose files lie in one folder, whole or not at all."""

import json

import numpy as np
import pandas as pd
import pytest
from evidence_worlds import certain, evidence_of
from small_study import run_explain, settings, write_study

from labelrisk.comparison.runs import runs_of
from labelrisk.comparison.study_loading import load_study
from labelrisk.corpora.prepared import Prepared
from labelrisk.explanations.contract import Explanation, outputs
from labelrisk.explanations.evidence import load_evidence
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.explanations.numbers import interval_json
from labelrisk.stages import explain
from labelrisk.statistics.intervals import Interval

GOLD = np.repeat([0, 1, 2], [30, 20, 10])


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def folder(paths):
    return run_explain(paths, settings())


@pytest.fixture(scope="module")
def evidence(paths, folder):
    folders = {name: paths[name] for name in ("labels", "baselines", "training", "logs")}
    runs = runs_of(folder.parent / "runs" / "all.parquet")
    study = load_study(settings(), Prepared(paths["prepared"]), runs=runs, **folders)
    return load_evidence(study, Prepared(paths["prepared"]), paths["labels"], folder.parent / "vectors")


def test_each_explanation_says_something_in_sentences(folder):
    for name in EXPLANATIONS:
        content = json.loads((folder / f"{name}.json").read_text())
        assert content["says"], name
        assert all(says[0].isupper() and says.endswith(".") for says in content["says"]), name


def test_all_run_again_to_the_same_bytes(paths, folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in run_explain(paths, settings()).iterdir()} == before


def test_one_that_fails_leaves_the_folder_as_it_was(paths, folder, monkeypatch):
    def fails(evidence):
        raise ZeroDivisionError

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(explain, "EXPLANATIONS", EXPLANATIONS | {"new": fails})
    with pytest.raises(ZeroDivisionError):
        run_explain(paths, settings())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_are_called_like_their_explanation():
    table = pd.DataFrame({"a": [1]})
    found = outputs("why", Explanation(says=["So."], metrics={"a": 1}, tables={"": table, "more": table}))
    assert list(found) == ["why.json", "why.csv", "why_more.csv"]
    assert found["why.json"] == {"says": ["So."], "a": 1}


def test_evidence_holds_the_rows_and_what_was_said_of_them(evidence):
    assert {split: len(of.ids) for split, of in evidence.rows.items()} == {"validation": 2, "test": 60}
    assert len(evidence.train.ids) == 10
    assert evidence.train.gold.tolist() == [0] * 4 + [1] * 4 + [-1] * 2
    assert evidence.rows["test"].words.tolist() == [3] * 60  # "text of t00"
    assert evidence.rows["test"].vectors.shape == (60, 4)
    llm = evidence.on_train["llm"]  # it refused a0, said west of a1 and of rows without gold
    assert llm.codes.tolist() == [-1, 2, 0, 0, 1, 1, 1, 1, 2, 2]
    assert llm.probabilities is None
    assert evidence.given["test"]["llm"].codes.tolist() == evidence.study.annotators_on_test["llm"].codes.tolist()


def test_some_of_the_test_rows_alone_have_their_own_numbers(evidence):
    rows = np.array([59, 0, 3])
    part = evidence.on(rows)
    assert part.study.test.ids.tolist() == ["t59", "t00", "t03"] == part.rows["test"].ids.tolist()
    assert part.study.test.gold.tolist() == [2, 0, 0]
    assert part.study.students["constant"].counts[0].tolist() == [[2, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert part.study.annotators_on_test["llm"].codes.tolist() == [2, -1, 2]
    assert part.study.annotators_on_test["llm"].counts.sum() == 3
    assert part.train is evidence.train


def test_probabilities_go_by_id_and_are_nan_where_none_were_given(paths, folder, tmp_path):
    labels = pd.read_parquet(paths["labels"] / "llm.parquet")
    shares = [None if row.id == "t01" else [0.5, 0.25, 0.25] if row.id == "t02" else [0.0, 0.0, 1.0]
              for row in labels.itertuples()]  # fmt: skip
    labels.assign(probabilities=shares).to_parquet(tmp_path / "llm.parquet")
    (tmp_path / "gold.parquet").write_bytes((paths["labels"] / "gold.parquet").read_bytes())
    folders = {name: paths[name] for name in ("baselines", "training", "logs")}
    runs = runs_of(folder.parent / "runs" / "all.parquet")
    study = load_study(settings(), Prepared(paths["prepared"]), labels=tmp_path, runs=runs, **folders)
    found = load_evidence(study, Prepared(paths["prepared"]), tmp_path, folder.parent / "vectors")
    given = found.given["test"]["llm"].probabilities
    assert given[:3].tolist()[0] == [0, 0, 1]
    assert np.isnan(given[1]).all()
    assert given[2].tolist() == [0.5, 0.25, 0.25]


def test_worlds_of_arrays_are_evidence_too():
    world = evidence_of(GOLD, {"gold": certain(np.stack([GOLD] * 3), 3), "llm": certain(np.stack([GOLD * 0] * 3), 3)},
                        classes=3, annotators={"llm": certain(GOLD, 3)})  # fmt: skip
    for name, explanation in EXPLANATIONS.items():
        assert outputs(name, explanation(world))
    assert world.study.students["gold"].counts[0].trace() == 60


def test_a_row_that_was_not_asked_about_has_no_label_and_no_probabilities(paths, folder, tmp_path):
    labels = pd.read_parquet(paths["labels"] / "llm.parquet")
    labels = labels.assign(probabilities=[[0.0, 0.0, 1.0]] * len(labels))
    labels[labels["id"] != "t07"].to_parquet(tmp_path / "llm.parquet")
    (tmp_path / "gold.parquet").write_bytes((paths["labels"] / "gold.parquet").read_bytes())
    folders = {name: paths[name] for name in ("baselines", "training", "logs")}
    runs = runs_of(folder.parent / "runs" / "all.parquet")
    study = load_study(settings(), Prepared(paths["prepared"]), labels=tmp_path, runs=runs, **folders)
    found = load_evidence(study, Prepared(paths["prepared"]), tmp_path, folder.parent / "vectors").given["test"]["llm"]
    assert found.codes[7] == -1
    assert np.isnan(found.probabilities).any(axis=1).nonzero()[0].tolist() == [7]


def test_the_stage_writes_the_claims_that_explanations_decide(folder):
    found = json.loads((folder / "findings.json").read_text())
    assert found.keys() == {"recipe", "claims"}
    assert {"plateau_early", "errors_propagate", "ensemble_closes_gap"} <= found["claims"]["llm"].keys()
    assert found["claims"]["llm"]["plateau_early"]["finding"] == "not decided here"


def test_an_interval_in_json_has_no_number_that_json_lacks():
    found = interval_json(Interval(0.123456, float("-inf"), float("nan"), 1.0, 1.0))
    assert json.dumps(found, allow_nan=False) == '{"estimate": 0.1235, "low": null, "high": null}'
