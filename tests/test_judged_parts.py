"""What verdicts look at, on a small study with known answers: classes, stability, contrasts, lengths, labels spent."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_study import CLASSES, TEST_GOLD, load_small_study, settings, student, write_study

from labelrisk.comparison.analyses.source_scores import source_scores
from labelrisk.comparison.analyses.verdict import verdict
from labelrisk.comparison.class_losses import class_losses, weakest_class
from labelrisk.comparison.contrasts import Question, contrasts, questions
from labelrisk.comparison.labels_spent import human_labels, money_spent, rows_and_gold
from labelrisk.comparison.source_labels import class_shift, label_accuracy
from labelrisk.comparison.stability import stabilities
from labelrisk.comparison.study import Study
from labelrisk.comparison.training_length import failed_seeds, judged_lengths, training_lengths
from labelrisk.comparison.words import Words
from labelrisk.statistics.agreement import krippendorff_alpha


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def load(folders, **changes) -> Study:
    return load_small_study(folders, settings(**changes))


@pytest.fixture(scope="module")
def study(folders):
    return load(folders)


def test_classes_of_students_that_know_one_class(study):
    found = class_losses(study)["constant"]
    assert [found[name].recall.estimate for name in CLASSES] == [1, 0, 0]
    assert [found[name].f1.estimate for name in CLASSES] == pytest.approx([2 / 3, 0, 0])
    assert [found[name].recall_difference.estimate for name in CLASSES] == [0, -1, -1]
    assert [found[name].predicted for name in CLASSES] == [1, 0, 0]
    assert [found[name].true for name in CLASSES] == pytest.approx([1 / 2, 1 / 3, 1 / 6])
    assert [found[name].lost for name in CLASSES] == [False, True, True]
    assert weakest_class(found) == "south"  # the first of the two that lose all


def test_the_reference_loses_nothing(study):
    found = class_losses(study)["perfect"]
    assert not any(one.lost for one in found.values())
    assert all(one.recall_difference.estimate == 0 for one in found.values())


def test_a_class_without_gold_in_test_is_left_out(folders):
    study = load(folders)
    study.test.gold.flags.writeable = True
    study.test.gold[study.test.gold == 2] = 1
    try:
        assert list(class_losses(study)["constant"]) == CLASSES[:2]
    finally:
        study.test.gold[50:] = 2


def test_stability_by_hand(study):
    found = stabilities(study)
    runs = np.stack([student("wavering", seed) for seed in range(3)])
    assert found["wavering"].alpha.estimate == pytest.approx(krippendorff_alpha(runs, 3))
    assert found["wavering"].p_uc.estimate == 0
    assert found["wavering"].alpha_difference.estimate == pytest.approx(krippendorff_alpha(runs, 3) - 1)
    assert found["wavering"].unstable
    assert not found["perfect"].unstable
    assert found["perfect"].alpha_difference.estimate == 0
    assert found["wavering"].without_failed is None  # none failed


@pytest.mark.parametrize(("margin", "unstable"), [(0.2, True), (0.6, False)])
def test_a_loss_of_alpha_within_the_margin_is_accepted(folders, margin, unstable):
    asked = {"reference": "perfect", "margin": 0.02, "confidence": 0.95, "stability_margin": margin}
    study = load(folders, evaluate=asked)
    runs = np.stack([TEST_GOLD] * 3)
    for run in range(3):  # each pair of seeds differs on a quarter of the rows
        runs[run, run::8] = (runs[run, run::8] + 1) % 3
    wavering = replace(study.students["wavering"], predictions=runs)
    somewhat = replace(study, students=study.students | {"wavering": wavering})
    found = stabilities(somewhat)["wavering"]
    assert 0.2 < -found.alpha_difference.estimate < 0.6
    assert found.unstable is unstable


def test_a_reference_of_failed_students_asks_for_longer_training(folders):
    asked = {"reference": "constant", "margin": 0.02, "confidence": 0.95}
    study = load(folders, evaluate=asked)
    assert judged_lengths(study)["constant"].fit == 0
    assert judged_lengths(study)["perfect"] == training_lengths(study)["perfect"]
    found = verdict(study)["metrics/verdict.json"]
    assert found["sources"]["constant"]["verdict"] == "not trained enough"
    assert found["next_step"]["because"].startswith("constant")


def test_two_seeds_say_nothing_about_stability(folders):
    assert stabilities(load(folders, seeds=[0, 1])) == {}


def test_questions_name_twins_annotators_and_cheap_classifiers(folders):
    sources = {
        "perfect": {"annotator": "gold"},
        "constant": {"annotator": "llm"},
        "wavering": {"annotator": "llm", "select": {"by": "entropy", "share": 0.5}, "action": "gold"},
    }
    asked = questions(load(folders, sources=sources))
    cheap = {Question(name, "baseline", "words on gold") for name in sources}
    direct = {Question(name, "annotator", "llm directly") for name in sources}
    others = {
        Question("constant", "reference", "perfect"),
        Question("wavering", "reference", "perfect"),
        Question("wavering", "untreated", "constant"),
    }
    assert set(asked) == cheap | direct | others
    assert len(asked) == len(set(asked))


def test_contrasts_are_differences_of_macro_f1(study):
    found = contrasts(study)[Question("constant", "reference", "perfect")]
    assert found.estimate == pytest.approx(2 / 9 - 1)
    assert found.decision == "worse"


def test_lengths_and_failures(study):
    assert training_lengths(study)["perfect"].converged  # its last loss is .05 of log 2
    assert training_lengths(study)["perfect"].gain == pytest.approx(0.25)
    assert failed_seeds(study) == {"perfect": [], "constant": [0, 1, 2], "wavering": []}


def test_labels_and_money_spent(study):
    assert rows_and_gold(study, "perfect") == (10, 10)
    assert rows_and_gold(study, "constant") == (10, 0)
    assert rows_and_gold(study, "wavering") == (9, 5)  # three gold, and two that noise was drawn onto
    assert money_spent(study, "perfect") is None  # people's time has no price here
    assert money_spent(study, "constant") is None  # nor have labels from elsewhere


def test_what_labels_are_worth_and_take_by_hand(study):
    """A cheap annotator at .001 a row labels the 8 rows that are not left out; of three rows the dear one was asked
    about, two got its label and one had none; one row is gold.  Gold of a0 to a7: four times north, four times south.
    """
    chat = {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": "embedded"}
    people = {"kind": "import", "reads": "people.csv", "label": "label", "people": True}
    rows = study.training_rows["constant"]
    origins = ["annotator"] * 4 + ["relabelled"] * 2 + ["annotator", "gold"] + ["left_out"] * 2
    labellers = ["cheap"] * 4 + ["dear"] * 2 + ["cheap", "gold", None, None]
    reasons = [None] * 4 + ["selected by entropy"] * 4 + ["not among the first 8"] * 2
    built = replace(
        rows,
        codes=np.array([0, 0, 0, 1, 1, 1, 0, 1, -1, -1]),
        origins=Words.of(origins),
        labellers=Words.of(labellers),
        reasons=Words.of(reasons),
    )
    relabelled = {"annotator": "cheap", "relabel_by": "dear", "action": "relabel"}
    for dear, human, money in ((chat, 1, 0.008 + 3 * 0.1), (people, 3, None)):
        given = settings(
            annotators={"gold": {"kind": "gold", "reads": "codebook.yaml"}, "cheap": chat, "dear": dear},
            sources={"s": relabelled | {"select": {"by": "entropy", "rows": 4}}},
        )
        costs = {"cheap": np.full(10, 0.001), "dear": np.full(10, 0.1) if dear is chat else None}
        by_hand = replace(study, settings=given, training_rows={"s": built}, costs_on_train=costs)
        assert rows_and_gold(by_hand, "s") == (8, 1)
        assert human_labels(by_hand, "s") == human
        assert money_spent(by_hand, "s") == (None if money is None else pytest.approx(money))
        assert label_accuracy(by_hand, "s") == 6 / 8  # a3 and a6 are wrong
        assert class_shift(by_hand, "s") == 0.0
    shifted = replace(built, codes=np.array([0, 0, 0, 0, 0, 1, 1, -1, -1, -1]))
    assert class_shift(replace(study, training_rows={"s": shifted}), "s") == pytest.approx(5 / 7 - 1 / 2)


def test_what_a_repair_measured_is_told_as_the_mean_over_seeds(folders, tmp_path):
    shutil.copytree(folders["training"], tmp_path / "training")
    notes = {"0": {"forgotten": 0.2, "agreement": 0.5}, "1": {"forgotten": 0.3, "agreement": 0.75}}
    (tmp_path / "training" / "wavering" / "notes.json").write_text(json.dumps(notes))
    told = source_scores(load(folders | {"training": tmp_path / "training"}))["metrics/sources.json"]
    assert told["wavering"]["repair"] == {"forgotten": 0.25, "agreement": 0.625}
    assert "repair" not in told["constant"]


def test_what_a_panel_costs_is_what_its_members_do(folders):
    chat = {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": "embedded"}
    annotators = {"gold": {"kind": "gold", "reads": "codebook.yaml"}, "llm": chat, "other": chat}
    panels = {"duo": {"members": ["llm", "other"]}}
    for name in ("other", "duo"):
        shutil.copy(folders["labels"] / "llm.parquet", folders["labels"] / f"{name}.parquet")
    study = load(folders, annotators=annotators, panels=panels)
    assert study.costs == pytest.approx({"llm": 1.0, "other": 1.0, "duo": 2.0})  # .001 for each text
    assert money_spent(study, "constant") == pytest.approx(0.01)  # ten rows
    assert len(TEST_GOLD) == 60


def test_a_loss_within_the_margin_of_a_class_is_none(folders):
    how = {"reference": "perfect", "margin": 0.02, "confidence": 0.95}
    studies = {margin: load(folders, evaluate=how | {"class_margin": margin}) for margin in (0.1, 0.5)}
    lost = {margin: [one.lost for one in class_losses(of)["wavering"].values()] for margin, of in studies.items()}
    assert any(lost[0.1])  # a third of each class's recall
    assert not any(lost[0.5])


def test_a_source_is_held_against_another_once_though_it_is_two_things(folders):
    sources = {
        "perfect": {"annotator": "gold"},
        "constant": {"annotator": "llm"},
        "wavering": {"annotator": "llm", "select": {"by": "entropy", "share": 0.5}, "action": "gold"},
    }
    how = {"reference": "constant", "margin": 0.02, "confidence": 0.95}
    asked = questions(load(folders, sources=sources, evaluate=how))
    assert [one.role for one in asked if one[::2] == ("wavering", "constant")] == ["reference"]
