"""The stage calibrate: what is learned of classifiers on validation rows, and what new texts are held against."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from applied_study import CLASSES, calibrated_by, rows, run_calibrate, study

import labelrisk
from labelrisk.classifiers.calibration import digest, read_calibration
from labelrisk.classifiers.learned import fitted_temperature, sets_of, thresholds
from labelrisk.comparison.runs import runs_of
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.statistics.conformal import held_by_chance, sets_by_class, sets_for_all
from labelrisk.statistics.unlikeness import distances, exceedances, farthest_alike, unlike


@pytest.fixture(scope="module")
def root():
    return study()


def said(root, split):
    """Mean probabilities of the two students, and gold codes."""
    gold = Prepared(root / "prepared").split(split)
    read = runs_of(root / "runs.parquet")
    mean = np.mean([read("gold", seed).of_split(split, pd.Index(gold["id"])) for seed in (0, 1)], axis=0, dtype=float)
    return mean, np.array([CLASSES.index(one) for one in gold["gold"]])


def test_it_learns_from_validation_rows_alone(root, tmp_path):
    found = read_calibration(
        root / "classifiers" / "calibration" / "chosen.json", digest(root / "classifiers" / "chosen")
    )
    on_validation, gold = said(root, "validation")
    assert found.form.temperature == pytest.approx(fitted_temperature(on_validation, gold, 50), rel=1e-6)
    assert found.form.sets.all_rows == pytest.approx(np.sort(1 - on_validation[np.arange(100), gold])[90])
    assert found.form.validation_rows == 100
    # other gold of the test rows: a measurement and the rows for class shares change, and nothing else
    changed = tmp_path / "study"
    for name in ("prepared", "vectors", "classifiers"):
        shutil.copytree(root / name, changed / name)
    for name in ("runs.parquet", "distilled.parquet"):
        shutil.copy(root / name, changed)
    test = pd.read_parquet(changed / "prepared" / "test.parquet")
    test.assign(gold=test["gold"].iloc[::-1].to_numpy()).to_parquet(changed / "prepared" / "test.parquet")
    out = run_calibrate(changed, calibrated_by(str(root / "tiny")), tmp_path / "out")
    other = json.loads((out / "chosen.json").read_text())
    before = found.form.model_dump(mode="json")
    assert other["sets"].pop("on_test") != before["sets"].pop("on_test")
    assert other == before


def test_it_is_the_same_bytes_again(root, tmp_path):
    out = run_calibrate(root, calibrated_by(str(root / "tiny")), tmp_path / "again")
    names = ["chosen.json", "chosen.safetensors", "distilled.json", "distilled.safetensors", "texts.safetensors"]
    assert sorted(path.name for path in out.iterdir()) == names
    for name in names:
        assert (out / name).read_bytes() == (root / "classifiers" / "calibration" / name).read_bytes()


def test_few_validation_rows_fit_no_temperature_and_few_texts_are_kept(root, tmp_path):
    out = run_calibrate(root, calibrated_by(str(root / "tiny"), validation_rows=101, texts=50), tmp_path / "few")
    found = read_calibration(out / "chosen.json", digest(root / "classifiers" / "chosen"))
    assert found.form.temperature == 1
    assert found.texts.shape == (50, 32)


@pytest.mark.parametrize("by_class", [False, True])
def test_sets_are_those_of_split_conformal_prediction(by_class):
    generator = np.random.default_rng(0)
    known, new = generator.dirichlet([1, 1, 1], 200), generator.dirichlet([1, 1, 1], 300)
    gold = np.array([generator.choice(3, p=row) for row in known])
    make = sets_by_class if by_class else sets_for_all
    assert np.array_equal(sets_of(new, thresholds(known, gold, 0.1), by_class=by_class), make(known, gold, new, 0.1))


def test_sets_hold_gold_as_often_as_they_promise():
    generator, held = np.random.default_rng(1), []
    for _ in range(100):
        given = generator.dirichlet([1, 1, 1, 1], 160)
        gold = np.array([generator.choice(4, p=row) for row in given])
        sets = sets_of(given[60:], thresholds(given[:60], gold[:60], 0.1))
        held.append(sets[np.arange(100), gold[60:]].mean())
    assert 0.89 < np.mean(held) < 0.925
    low, high = held_by_chance(60, 0.1, 100, 0.9)
    assert 0.8 < np.mean([low <= one <= high for one in held]) <= 0.98
    assert np.mean([one < low for one in held]) <= 0.1
    assert held_by_chance(5, 0.1, 100, 0.9) is None


def test_a_class_without_rows_is_in_every_set_by_class():
    found = thresholds(np.full((30, 2), 0.5), np.zeros(30, dtype=int), 0.1)
    assert found.each_class[1] is None
    assert sets_of(np.array([[1.0, 0.0]]), found, by_class=True).tolist() == [[True, True]]


def test_a_distance_is_that_to_the_so_many_th_nearest():
    reference = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    new = np.array([[1, 0]], dtype=np.float32)
    assert [float(distances(new, reference, many)[0]) for many in (1, 2, 3, 9)] == pytest.approx([0, 0.4, 1, 1])


def test_a_text_is_unlike_beyond_nearly_all_known_ones():
    known = np.arange(99.0)
    assert exceedances(99, 0.05) == 5
    assert farthest_alike(known, 0.05) == 94  # 4 of 99 are beyond, and the new one would be the fifth of 100
    assert farthest_alike(known[:10], 0.05) == np.inf


def test_the_warning_is_as_rare_as_it_says_where_texts_are_alike():
    """Also though the threshold is itself from few known texts, and new ones are many."""
    generator, warned, shares = np.random.default_rng(2), [], []
    for _ in range(500):
        known, new = generator.exponential(size=60), generator.exponential(size=2000)
        hits = int((new > farthest_alike(known, 0.05)).sum())
        found = unlike(hits, 2000, 60, 0.05, 0.95)
        warned.append(found.p <= 0.05)
        shares.append(found.share.share)
        assert warned[-1] == (found.share.share > found.by_chance)
    assert 0.02 < np.mean(warned) <= 0.075
    assert np.mean(shares) == pytest.approx(3 / 61, abs=0.005)


def test_the_warning_comes_where_texts_are_others():
    generator = np.random.default_rng(3)
    known, new = generator.exponential(size=100), 1.5 + generator.exponential(size=500)
    assert unlike(int((new > farthest_alike(known, 0.05)).sum()), 500, 100, 0.05, 0.95).p < 1e-3


def test_the_classifier_and_its_calibration_belong_together(root, tmp_path):
    for name in ("chosen", "calibration"):
        shutil.copytree(root / "classifiers" / name, tmp_path / name)
    assert len(labelrisk.load(tmp_path / "chosen").label(["good word1"])) == 1
    (tmp_path / "chosen" / "ensemble.json").write_text((tmp_path / "chosen" / "ensemble.json").read_text() + "\n")
    with pytest.raises(LabelRiskError, match="is the calibration of another classifier than the one that is applied"):
        labelrisk.load(tmp_path / "chosen").label(["good word1"])
    shutil.rmtree(tmp_path / "calibration")
    with pytest.raises(LabelRiskError, match="run `dvc repro calibrate`"):
        labelrisk.load(tmp_path / "chosen").label(["good word1"])
    elsewhere = labelrisk.load(root / "classifiers" / "chosen", root / "classifiers" / "calibration" / "chosen.json")
    assert elsewhere.label(["good word1"])["label"].tolist() in (["no"], ["yes"])


def test_in_python_a_frame_is_labelled_in_one_line(root):
    frame = rows(40, seed=9).set_index(np.arange(100, 140)).rename(columns={"text": "post"})
    frame.loc[103, "post"] = None
    found = labelrisk.load(root / "classifiers" / "distilled").label(frame, text="post")
    assert found.index.tolist() == frame.index.tolist()
    assert list(found) == [
        "post",
        "gold",
        "label",
        "confidence",
        "set",
        "p_no",
        "p_yes",
        "distance",
        "unlike",
        "reason",
    ]
    known = found.drop(index=103)
    assert (known["label"] == known["gold"]).mean() > 0.7
    assert known["confidence"].tolist() == known[["p_no", "p_yes"]].max(axis=1).tolist()
    assert known["confidence"].between(0.5, 1).all()
    assert all(set(of) <= set(CLASSES) for of in known["set"])
    assert found.loc[103, "reason"] == "missing text"
    assert pd.isna(found.loc[103, ["label", "confidence", "set", "distance", "unlike"]]).all()
    with pytest.raises(LabelRiskError, match="the frame has no column 'text'"):
        labelrisk.load(root / "classifiers" / "distilled").label(frame)
    with pytest.raises(LabelRiskError, match="the frame has a column 'label' already; give a prefix"):
        labelrisk.load(root / "classifiers" / "distilled").label(frame.assign(label=1), text="post")
