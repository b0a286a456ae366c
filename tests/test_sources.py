"""Label sources and their controls, each against a known truth."""

import numpy as np
import pandas as pd
import pytest
from materials import built_frame, material

from labelrisk.errors import LabelRiskError
from labelrisk.sources.building import validation_rows
from labelrisk.sources.noise_controls import confusion_noise, uniform_noise
from labelrisk.sources.selection import drawn, most_doubtful
from labelrisk.sources.source import Source
from labelrisk.statistics.scores import confusion

LABELS = ["a", "b", "c"]
GOLD = ["a", "a", "a", "a", "b", "b", "b", "c"]
ANNOTATED = ["a", "a", "b", "a", "b", "c", "b", None]
ENTROPY = [0.1, 0.9, 0.8, 0.2, 0.3, 0.7, 0.4, np.nan]
TRAIN = pd.DataFrame({"id": list("01234567"), "text": [f"text {i}" for i in range(8)], "gold": GOLD})
ANSWERS = pd.DataFrame({"label": ANNOTATED, "entropy": ENTROPY, "status": ["ok"] * 7 + ["refusal"]})


def build(train=TRAIN, answers=ANSWERS, seed=0, student=0, **source):
    return built_frame(
        "s", Source(annotator="llm", **source), material(train, {"llm": answers}, LABELS), seed=seed, student=student
    )


def test_the_annotators_labels_and_the_row_that_it_left_out():
    rows = build()
    assert list(rows["label"][:7]) == ANNOTATED[:7]
    assert pd.isna(rows["label"][7])
    assert list(rows["origin"]) == ["annotator"] * 7 + ["dropped_no_label"]
    assert list(rows.columns) == ["id", "text", "label", "origin", "labeller", "why"]
    assert list(rows["labeller"].dropna()) == ["llm"] * 7
    assert list(rows["why"].dropna()) == ["refusal"]


def test_entropy_drop_by_hand():
    """The top 3 of 7 ranked rows (round(.4 * 7)) have entropies .9, .8, .7: rows 1, 2, 5."""
    rows = build(select={"by": "entropy", "share": 0.4}, action="drop")
    assert list(np.flatnonzero(rows["origin"] == "dropped_selected")) == [1, 2, 5]
    assert rows["label"].isna().sum() == 4


def test_entropy_gold_replaces_and_keeps_every_row():
    rows = build(select={"by": "entropy", "share": 0.4}, action="gold")
    assert list(rows["label"][:7]) == ["a", "a", "a", "a", "b", "b", "b"]
    assert list(np.flatnonzero(rows["origin"] == "gold")) == [1, 2, 5]


def test_random_spends_the_same_budget_on_other_rows():
    drawn = [
        tuple(
            np.flatnonzero(build(seed=seed, select={"by": "random", "share": 0.4}, action="gold")["origin"] == "gold")
        )
        for seed in range(200)
    ]
    assert {len(rows) for rows in drawn} == {3}
    counts = np.bincount(np.concatenate(drawn), minlength=8)
    assert counts[7] == 0
    assert counts[:7].min() > 60  # 200 * 3 / 7 = 86 expected


def test_random_takes_the_rows_that_entropy_could_have_taken():
    """Without entropies of rows 1 and 2 there are 5 ranked rows: round(.4 * 5) of them, by entropy or at random."""
    answers = ANSWERS.assign(entropy=[0.1, np.nan, np.nan, 0.2, 0.3, 0.7, 0.4, np.nan])
    by_entropy = build(answers=answers, select={"by": "entropy", "share": 0.4}, action="gold")
    assert list(np.flatnonzero(by_entropy["origin"] == "gold")) == [5, 6]
    random = {"select": {"by": "random", "share": 0.4}, "action": "gold"}
    drawn = [np.flatnonzero(build(answers=answers, student=s, **random)["origin"] == "gold") for s in range(100)]
    assert {len(rows) for rows in drawn} == {2}
    assert set(np.concatenate(drawn)) == {0, 3, 4, 5, 6}
    without = ANSWERS.assign(entropy=np.nan)  # then of all labelled rows: round(.4 * 7)
    drawn = [np.flatnonzero(build(answers=without, student=s, **random)["origin"] == "gold") for s in range(100)]
    assert {len(rows) for rows in drawn} == {3}
    assert set(np.concatenate(drawn)) == {0, 1, 2, 3, 4, 5, 6}


def test_the_draw_of_a_source_depends_on_its_name_and_seed_alone():
    random = {"select": {"by": "random", "share": 0.4}, "action": "gold"}
    pd.testing.assert_frame_equal(build(**random), build(**random))
    other = built_frame(
        "t", Source(annotator="llm", **random), material(TRAIN, {"llm": ANSWERS}, LABELS), seed=0, student=0
    )
    assert any(not build(seed=s, **random).equals(other) for s in range(5))


def test_the_spread_over_students_is_the_luck_of_the_draw():
    """Of 200 labels 60 are wrong, and 50 random ones become gold: a student that learns its labels scores as many more
    as the draw hits wrong ones, whose number is hypergeometric.
    """
    train = pd.DataFrame({"id": [str(row) for row in range(200)], "text": "t", "gold": ["a", "b"] * 100})
    label = np.where(np.arange(200) < 60, "c", train["gold"])
    answers = pd.DataFrame({"label": label, "entropy": np.nan, "status": "ok"})
    random = {"select": {"by": "random", "share": 0.25}, "action": "gold"}
    scores = [(build(train, answers, student=seed, **random)["label"] == train["gold"]).mean() for seed in range(400)]
    assert np.mean(scores) == pytest.approx(0.7 + 0.25 * 0.3, abs=0.003)
    assert np.std(scores, ddof=1) == pytest.approx(np.sqrt(50 * 0.3 * 0.7 * 150 / 199) / 200, rel=0.12)
    confusions = [build(train, answers, student=seed, labels="gold", noise="confusion")["label"] for seed in (0, 1)]
    assert not confusions[0].equals(confusions[1])
    assert build(train, answers, student=0).equals(build(train, answers, student=1))  # nothing is drawn


def test_ties_fall_at_random():
    """Five equal entropies: every row must be selected sometimes, not the first ones always."""
    seen = {int(row) for seed in range(50) for row in most_doubtful(np.ones(5), 2, np.random.default_rng(seed))}
    assert seen == {0, 1, 2, 3, 4}


def test_rows_are_drawn_without_replacement():
    assert drawn(np.array([3, 5, 7]), 3, np.random.default_rng(0)).tolist() == [3, 5, 7]


def big_annotator(rows=3000):
    generator = np.random.default_rng(1)
    gold = generator.integers(0, 3, rows)
    shifted = (gold + generator.integers(0, 3, rows)) % 3
    feature = generator.random(rows)
    return gold, np.where(feature < 0.3, shifted, gold), feature  # errs on the low feature only


def test_confusion_noise_has_the_annotators_confusion_and_not_its_reasons():
    gold, annotated, feature = big_annotator()
    noisy = confusion_noise(gold, annotated, np.random.default_rng(2))
    assert (confusion(gold, noisy, 3) == confusion(gold, annotated, 3)).all()
    wrong, wrong_before = noisy != gold, annotated != gold
    assert feature[wrong_before].max() < 0.3
    assert abs(feature[wrong].mean() - 0.5) < 0.05
    assert abs((wrong & wrong_before).mean() - wrong.mean() * wrong_before.mean()) < 0.01


def test_uniform_noise_has_the_annotators_error_rate_spread_evenly():
    gold, annotated, _ = big_annotator()
    noisy = uniform_noise(int((gold != annotated).sum()), gold, 3, np.random.default_rng(2))
    assert (noisy != gold).sum() == (annotated != gold).sum()
    shift = (noisy - gold)[noisy != gold] % 3
    assert abs((shift == 1).mean() - 0.5) < 0.07


def test_a_noise_source_has_the_annotators_rows():
    rows = build(labels="gold", noise="confusion")
    assert list(rows["origin"]) == ["noise"] * 7 + ["dropped_no_label"]
    assert sorted(rows["label"][:4]) == ["a", "a", "a", "b"]
    assert sorted(rows["label"][4:7]) == ["b", "b", "c"]


def test_gold_minus_doubtful_rows():
    rows = build(labels="gold", select={"by": "entropy", "share": 0.4}, action="drop")
    assert list(rows["label"].dropna()) == ["a", "a", "b", "b", "c"]


def test_no_gold_for_action_gold_is_named():
    train = TRAIN.assign(gold=[None, None, *GOLD[2:]])
    with pytest.raises(
        LabelRiskError, match=r"sources\.s has action: gold, but 1 of its 3 selected train rows .*id 1\)"
    ):
        build(train=train, select={"by": "entropy", "share": 0.4}, action="gold")


def test_no_entropy_to_select_by_is_named():
    with pytest.raises(
        LabelRiskError,
        match=r"sources\.s selects by entropy, but the labels of annotator 'llm' come without class prob",
    ):
        build(answers=ANSWERS.assign(entropy=np.nan), select={"by": "entropy", "share": 0.4}, action="drop")


def test_one_class_only_is_named():
    with pytest.raises(LabelRiskError, match=r"sources\.s has 8 labelled train rows in fewer than two classes"):
        build(answers=ANSWERS.assign(label="a"))


def test_validation_labels_are_gold_unless_told():
    gold = validation_rows(Source(annotator="llm"), "gold", TRAIN, ANSWERS)
    assert list(gold["label"]) == GOLD
    theirs = validation_rows(Source(annotator="llm"), "annotator", TRAIN, ANSWERS)
    assert list(theirs["label"][:7]) == ANNOTATED[:7]
    assert list(theirs["origin"]) == ["annotator"] * 7 + ["dropped_no_label"]
    noisy = Source(annotator="llm", labels="gold", noise="uniform")
    assert list(validation_rows(noisy, "annotator", TRAIN, ANSWERS)["label"]) == GOLD
