import json
import shutil

import pandas as pd
import pytest
from small_study import CLASSES, SEEDS, TEST_GOLD, settings, write_study

from labelrisk.comparison.runs import runs_in, write_runs
from labelrisk.errors import LabelRiskError
from labelrisk.stages.ensemble import run


def ensemble(root, **changes):
    paths = write_study(root)
    write_runs(root / "runs.parquet", runs_in(paths["predictions"]), list(settings().sources), SEEDS)
    run(settings(**changes), root / "runs.parquet", paths["prepared"], paths["models"], root / "ensembles.json",
        root / "ensembles.csv", root / "votes.parquet", root / "chosen")  # fmt: skip
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


def members(root):
    return json.loads((root / "chosen" / "ensemble.json").read_text())["members"]


def test_the_chosen_vote_is_kept_with_the_files_of_its_students(study, tmp_path):
    told = json.loads((study / "chosen" / "ensemble.json").read_text())
    assert told["ensemble"] == "perfect"  # equal on validation, where all say one class: the first
    assert (told["classes"], told["max_tokens"], told["probabilities"]) == (CLASSES, 8, "mean")
    assert told["members"] == [f"perfect-{seed}" for seed in SEEDS]
    for seed in SEEDS:
        assert (study / "chosen" / f"perfect-{seed}" / "model.safetensors").read_text() == "weights"
    for chosen, sources in (("wavering", ["wavering"]), ("across", ["perfect", "wavering"])):
        root = tmp_path / chosen
        root.mkdir()
        ensemble(root, ensemble={"across": ["perfect", "wavering"], "chosen": chosen})
        assert members(root) == [f"{source}-{seed}" for source in sources for seed in SEEDS]


def test_it_is_the_best_by_validation_whatever_the_test_rows_say(tmp_path):
    paths = write_study(tmp_path)
    for seed in SEEDS:  # right on both validation rows, north and west
        path = paths["predictions"] / "constant" / f"{seed}.parquet"
        run_of = pd.read_parquet(path)
        run_of["probabilities"] = [[0.9, 0.1, 0.0] if of == "v0" else [0.0, 0.1, 0.9] if of == "v1" else list(told)
                                   for of, told in zip(run_of["id"], run_of["probabilities"], strict=True)]  # fmt: skip
        run_of.to_parquet(path)
    write_runs(tmp_path / "runs.parquet", runs_in(paths["predictions"]), list(settings().sources), SEEDS)
    run(settings(), tmp_path / "runs.parquet", paths["prepared"], paths["models"], tmp_path / "e.json",
        tmp_path / "e.csv", tmp_path / "votes.parquet", tmp_path / "chosen")  # fmt: skip
    assert members(tmp_path) == [f"constant-{seed}" for seed in SEEDS]


def test_without_a_student_nothing_is_written(tmp_path):
    paths = write_study(tmp_path)
    shutil.rmtree(paths["models"] / "perfect" / "2")
    write_runs(tmp_path / "runs.parquet", runs_in(paths["predictions"]), list(settings().sources), SEEDS)
    outputs = [tmp_path / name for name in ("e.json", "e.csv", "votes.parquet", "chosen")]
    with pytest.raises(LabelRiskError, match="source 'perfect' has no student for seed 2"):
        run(settings(), tmp_path / "runs.parquet", paths["prepared"], paths["models"], *outputs)
    assert not [path for path in outputs if path.exists()]
