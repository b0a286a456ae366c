import json

import pandas as pd
import pytest
from small_study import CLASSES, SEEDS, TEST_GOLD, settings, write_study

from labelrisk.comparison.runs import runs_in, write_runs
from labelrisk.stages.ensemble import run


def ensemble(root, **changes):
    paths = write_study(root)
    write_runs(root / "runs.parquet", runs_in(paths["predictions"]), list(settings().sources), SEEDS)
    run(settings(**changes), root / "runs.parquet", paths["prepared"], root / "ensembles.json",
        root / "ensembles.csv", root / "votes.parquet")  # fmt: skip
    return json.loads((root / "ensembles.json").read_text())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    ensemble(root)
    return root


@pytest.fixture(scope="module")
def scores(study):
    return json.loads((study / "ensembles.json").read_text())


def test_seeds_that_err_on_different_items_vote_each_other_right(scores):
    wavering = scores["wavering"]
    assert wavering["soft"]["macro_f1"] == wavering["hard"]["macro_f1"] == 1
    assert wavering["soft"]["gain"] > 0.3
    assert wavering["soft"]["low"] == wavering["soft"]["high"] == 1


def test_equal_students_gain_nothing_by_voting(scores):
    assert scores["constant"]["soft"] == scores["constant"]["hard"]
    assert scores["constant"]["soft"]["gain"] == 0
    assert scores["constant"]["soft"]["accuracy"] == 0.5
    assert (
        scores["constant"]["soft"]["low"] < scores["constant"]["soft"]["macro_f1"] < scores["constant"]["soft"]["high"]
    )


def test_across_counts_all_seeds_of_its_sources(study, scores):
    assert list(scores) == ["perfect", "constant", "wavering", "across"]
    assert scores["across"]["soft"]["macro_f1"] == 1
    table = pd.read_csv(study / "ensembles.csv")
    assert list(table) == [
        "ensemble", "vote", "students", "accuracy", "macro_f1", "low", "high", "gain", "gain_low", "gain_high",
    ]  # fmt: skip
    assert table[table["ensemble"] == "across"]["students"].tolist() == [6, 6]
    gain = table.set_index(["ensemble", "vote"])["gain"]
    assert gain["across", "soft"] == pytest.approx((gain["wavering", "soft"] + gain["perfect", "soft"]) / 2, abs=1e-3)
    assert (table["gain_low"] <= table["gain"]).all()
    assert (table["gain"] <= table["gain_high"]).all()


def test_predictions_are_class_names_on_the_test_rows(study):
    votes = pd.read_parquet(study / "votes.parquet")
    assert list(votes) == ["id", "ensemble", "soft", "hard", "probabilities"]
    perfect = votes[votes["ensemble"] == "perfect"]
    assert perfect["soft"].tolist() == [CLASSES[code] for code in TEST_GOLD]
    assert perfect["id"].tolist() == [f"t{i:02d}" for i in range(60)]
    assert perfect["probabilities"].iloc[0].tolist() == pytest.approx([0.8, 0.1, 0.1])


def test_same_bytes_again_and_no_across_when_none_is_declared(study, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    ensemble(again)
    for name in ("ensembles.json", "ensembles.csv", "votes.parquet"):
        assert (again / name).read_bytes() == (study / name).read_bytes()
    none = tmp_path / "none"
    none.mkdir()
    assert "across" not in ensemble(none, ensemble={"across": []})
