"""What a source may say: part of the rows, which are doubtful, what is done to them, and how students learn."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from materials import built_frame, material
from pydantic import ValidationError
from sklearn.metrics import log_loss
from study_files import params, write_study

from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.sources.controls import plain, random_twin, resolved
from labelrisk.sources.learning import at_temperature, confidence_weights, temperature
from labelrisk.sources.nested_rows import first_rows
from labelrisk.sources.noise_controls import confusion_noise_at
from labelrisk.sources.source import Source
from labelrisk.statistics.plausible_sets import smallest_sets
from labelrisk.statistics.scores import confusion

CLASSES = ["a", "b", "c"]
GOLD = ["a", "a", "b", "b", "c", "c"]
CHEAP = ["a", "b", "b", "c", "c", None]
STRONG = ["a", "a", "b", "b", None, "c"]
PROBABILITIES = [[0.9, 0.1, 0.0], [0.4, 0.5, 0.1], [0.2, 0.6, 0.2], [0.0, 0.45, 0.55], [0.1, 0.2, 0.7], None]
VOTES = [[3, 0, 0], [1, 2, 0], [0, 3, 0], [0, 1, 2], [1, 1, 3], None]
TRAIN = pd.DataFrame({"id": list("012345"), "text": "t", "gold": GOLD})
ANSWERS = {
    "cheap": pd.DataFrame({"label": CHEAP, "status": ["ok"] * 5 + ["refusal"]}).assign(
        entropy=[0.3, 0.9, 0.8, 0.7, 0.6, np.nan], probabilities=PROBABILITIES, votes=VOTES
    ),
    "strong": pd.DataFrame({"label": STRONG, "status": ["ok"] * 4 + ["refusal", "ok"]}),
}
KNOWN = material(TRAIN, ANSWERS, CLASSES)


def build(known=KNOWN, student=0, **source):
    return built_frame("s", Source(annotator="cheap", **source), known, seed=0, student=student)


def selected(known=KNOWN, student=0, **selection):
    rows = build(known, student, select=selection, action="abstain")
    return list(np.flatnonzero(rows["origin"] == "abstained"))


def test_margin_flips_and_disagreement_by_hand():
    """Margins .8, .1, .4, .1, .5; rows 1, 3, 4 have votes that differ; cheap and strong differ on rows 1 and 3."""
    assert selected(by="margin", rows=2) == [1, 3]
    assert selected(by="margin", share=0.6) == [1, 2, 3]
    assert selected(by="flips") == [1, 3, 4]
    assert selected(by="flips", rows=1) == [4]  # 2 of 5 votes against the label, 1 of 3 on the others
    assert selected(by="disagreement", of=["cheap", "strong"]) == [1, 3]
    assert selected(by="entropy", rows=3) == [1, 2, 3]


def test_what_is_done_is_written_beside_each_row():
    rows = build(select={"by": "flips"}, action="relabel", relabel_by="strong")
    assert rows["label"].fillna("-").tolist() == ["a", "a", "b", "b", "c", "-"]
    assert rows["origin"].tolist() == [*["annotator", "relabelled"] * 2, "annotator", "dropped_no_label"]
    assert rows["labeller"].fillna("-").tolist() == ["cheap", "strong", "cheap", "strong", "cheap", "-"]
    by = "selected by flips"
    why = ["-", by, "-", by, f"{by}, and no label came of strong", "refusal"]
    assert rows["why"].fillna("-").tolist() == why
    abstained = build(select={"by": "flips"}, action="abstain")
    assert abstained["label"].isna().tolist() == [False, True, False, True, True, True]


def test_a_second_opinion_brings_its_own_rows():
    asked = ANSWERS["strong"].assign(
        status=["ok", "ok", "not_asked", "not_asked", "ok", "not_asked"],
        label=["b", "a", None, None, "a", None],
        sampling_probability=[0.1, 1.0, np.nan, np.nan, 1.0, np.nan],
    )
    known = material(TRAIN, ANSWERS | {"strong": asked}, CLASSES)
    rows = build(known, action="relabel", relabel_by="strong")
    assert rows["label"].fillna("-").tolist() == ["a", "a", "b", "c", "a", "-"]  # row 0 was drawn at random: not used
    with pytest.raises(LabelRiskError, match=r"^sources\.s has action: relabel, but 1 of its 2 selected .* id 3\)"):
        build(known, select={"by": "margin", "rows": 2}, action="relabel", relabel_by="strong")


@pytest.mark.parametrize("selection", [{"by": "flips"}, {"by": "margin", "rows": 2}])
def test_a_twin_takes_as_many_rows_at_random_whatever_says_how_many(selection):
    sources = {
        "chosen": Source(annotator="cheap", select=selection, action="gold"),
        "twin": Source(annotator="cheap", control="random", of="chosen"),
    }
    assert random_twin(sources, "chosen") == "twin"
    twin = resolved(sources, "twin")
    draws = [built_frame("twin", twin, KNOWN, seed=0, student=student) for student in range(60)]
    taken = [tuple(np.flatnonzero(rows["origin"] == "gold")) for rows in draws]
    size = 3 if selection["by"] == "flips" else 2
    assert {len(rows) for rows in taken} == {size}
    assert {row for rows in taken for row in rows} == {0, 1, 2, 3, 4}
    assert draws[0]["why"].dropna().unique().tolist() == ["selected by random", "refusal"]


def test_doubts_that_are_drawn_are_the_same_for_a_source_and_its_twin():
    """Confident learning where clusters overlap, so that what it picks depends on its folds; the twin takes as many."""
    generator = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 40)
    vectors = np.eye(3)[truth] + generator.normal(0, 0.5, (120, 3))
    labels = np.array(CLASSES)[truth]
    train = pd.DataFrame({"id": [str(i) for i in range(120)], "text": "t", "gold": np.array(CLASSES)[truth]})
    answers = pd.DataFrame({"label": labels, "status": "ok"})
    known = material(train, {"cheap": answers}, CLASSES, vectors=vectors)
    sources = {
        "chosen": Source(annotator="cheap", select={"by": "confident_learning"}, action="gold"),
        "twin": Source(annotator="cheap", control="random", of="chosen"),
    }
    taken = []
    for student in range(4):
        built = [built_frame(name, resolved(sources, name), known, seed=0, student=student) for name in sources]
        taken.append([(rows["origin"] == "gold").sum() for rows in built])
    assert all(chosen == twin for chosen, twin in taken)
    assert len({chosen for chosen, _ in taken}) > 1


def test_parts_are_nested_keep_the_shares_of_classes_and_differ_between_students():
    codes = np.repeat([0, 1, 2, -1], [600, 300, 100, 50])
    ids = [f"row {number}" for number in range(len(codes))]
    sizes = (10, 25, 250, 1000)
    parts = [first_rows(codes, ids, size, "0 0") for size in sizes]
    for size, part in zip(sizes, parts, strict=True):
        assert np.bincount(codes[part], minlength=3) == pytest.approx(np.array([0.6, 0.3, 0.1]) * size, abs=1)
        assert part.sum() == size
    for small, large in pairwise(parts):
        assert (small <= large).all()
    other = first_rows(codes, ids, 250, "0 1")
    assert (other & parts[2]).sum() < 110  # 250 * 250 / 1,000 expected
    shuffled = np.random.default_rng(0).permutation(len(codes))
    again = first_rows(codes[shuffled], [ids[row] for row in shuffled], 250, "0 0")
    assert (again == parts[2][shuffled]).all()  # by the rows, not by their order


def test_a_source_of_fewer_rows():
    rows = build(rows=3)
    assert (rows["origin"] == "annotator").sum() == 3
    assert (rows["origin"] == "left_out").sum() == 2
    with pytest.raises(LabelRiskError, match=r"^sources\.s\.rows is 6, but 5 train rows have a label; ask for fewer"):
        build(rows=6)


def test_noise_at_a_rate_has_the_annotators_kinds_of_errors():
    """1,000 rows: class 0 has 100 errors, two in three of them as 1; class 1 has 50; class 2 none."""
    gold = np.repeat([0, 1, 2], [500, 300, 200])
    annotated = gold.copy()
    annotated[:66], annotated[66:100], annotated[500:550] = 1, 2, 0
    for rate, errors in ((0.03, [20, 10]), (0.3, [200, 100]), (0.72, [480, 240])):
        noisy = confusion_noise_at(rate, gold, annotated, np.random.default_rng(0))
        counts = confusion(gold, noisy, 3)[:, :3]
        assert [500 - counts[0, 0], 300 - counts[1, 1], 200 - counts[2, 2]] == [*errors, 0]
        assert counts[0, 1] / errors[0] == pytest.approx(0.66, abs=0.08)
        assert counts[1, 0] == errors[1]
    full = confusion_noise_at(0.8, gold, annotated, np.random.default_rng(0))  # class 0 has no more than 500 rows
    assert [(full[gold == code] != code).sum() for code in range(3)] == [500, 300, 0]
    with pytest.raises(ValueError, match=r"its classes with errors have 800 rows, and 900 errors are asked for"):
        confusion_noise_at(0.9, gold, annotated, np.random.default_rng(0))


def test_uniform_noise_at_a_rate_needs_no_annotator_with_errors():
    rows = build(labels="gold", noise="uniform", at=0.4)
    wrong = rows["label"].notna() & (rows["label"] != TRAIN["gold"])
    assert wrong.sum() == 2  # round(.4 * 5)
    assert rows["why"].dropna().unique().tolist() == ["uniform noise at 0.4", "refusal"]
    with pytest.raises(
        LabelRiskError, match=r"^sources\.s: errors like those of 'cheap' can't be drawn at .* 0\.99: its"
    ):
        build(labels="gold", noise="confusion", at=0.99)


def test_the_temperature_is_the_one_with_the_least_log_loss():
    """Probabilities that were sharpened threefold are softened threefold; scikit-learn's loss is the reference."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, (4000, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gold = (true.cumsum(axis=1) < generator.random((4000, 1))).sum(axis=1)
    sharp = at_temperature(true, 1 / 3)
    found = temperature(sharp, gold)
    assert found == pytest.approx(3, rel=0.06)
    assert temperature(true, gold) == pytest.approx(1, rel=0.06)
    losses = [log_loss(gold, at_temperature(sharp, found * factor)) for factor in (0.9, 1, 1.1)]
    assert losses[1] == min(losses)
    assert at_temperature(np.array([[0.8, 0.2]]), 2)[0] == pytest.approx([2 / 3, 1 / 3])


def test_smallest_sets_and_weights_by_hand():
    given = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.9, 0.1, 0.0], [np.nan] * 3])
    assert smallest_sets(given, 0.9).astype(int).tolist() == [[1, 1, 0], [1, 1, 1], [1, 0, 0], [0, 0, 0]]
    weights = confidence_weights(given, np.array([0, 1, 0, 2]))
    assert weights == pytest.approx(np.array([0.7, 0.35, 0.9, 0.65]) / 0.65)
    unlabelled = confidence_weights(given, np.array([0, -1, 0, -1]))
    assert unlabelled[[0, 2]] == pytest.approx([0.875, 1.125])


def learned(**source):
    """With the annotator's probabilities of four validation rows, of which the temperature makes what it makes."""
    validation = pd.DataFrame({"probabilities": PROBABILITIES[:4]})
    gold = pd.DataFrame({"id": list("0123"), "text": "t", "gold": GOLD[:4]})
    known = material(TRAIN, ANSWERS, CLASSES, {"cheap": validation}, gold)
    heat = temperature(np.array(PROBABILITIES[:4]), np.array([0, 0, 1, 1]))
    return build(known, **source), at_temperature(np.array(PROBABILITIES[:5]), heat)


def test_soft_targets_are_the_calibrated_probabilities_and_sure_where_somebody_else_said_the_label():
    rows, calibrated = learned(targets="soft", select={"by": "entropy", "rows": 1}, action="gold")
    assert rows["soft"][1].tolist() == [1.0, 0.0, 0.0]  # gold
    for row in (0, 2, 3, 4):
        assert rows["soft"][row] == pytest.approx(calibrated[row])
    assert rows["soft"][5] is None
    assert "weight" not in rows


def test_candidates_hold_the_label_and_what_is_plausible_beside_it():
    rows, calibrated = learned(targets="candidates")
    for row in range(5):
        expected = smallest_sets(calibrated[[row]], 0.9)[0]
        expected[CLASSES.index(CHEAP[row])] = True
        assert rows["candidates"][row].tolist() == expected.tolist()
    assert rows["candidates"][5] is None


def test_an_unlikely_label_is_among_its_rows_candidates():
    """Four rows are labelled as their least probable class."""
    answers = ANSWERS["cheap"].assign(label=["c", "c", "a", "a", "a", None])
    gold = pd.DataFrame({"id": list("0123"), "text": "t", "gold": GOLD[:4]})
    known = material(TRAIN, {"cheap": answers}, CLASSES, {"cheap": answers[:4]}, gold)
    rows = build(replace(known, candidate_mass=0.05), targets="candidates")
    assert [sum(one) for one in rows["candidates"][:5]] == [2, 2, 2, 2, 2]
    assert [one[CLASSES.index(label)] for one, label in zip(rows["candidates"], "ccaaa", strict=False)] == [True] * 5


def test_weights_are_the_calibrated_probability_of_the_label_with_mean_one():
    rows, calibrated = learned(weights="confidence", select={"by": "entropy", "rows": 1}, action="gold")
    expected = np.array([calibrated[0, 0], 1.0, calibrated[2, 1], calibrated[3, 2], calibrated[4, 2]])
    assert rows["weight"][:5].tolist() == pytest.approx(expected / expected.mean())
    assert np.isnan(rows["weight"][5])


def test_a_temperature_needs_validation_rows_with_gold():
    with pytest.raises(LabelRiskError, match=r"^sources\.s learns from the probabilities of 'cheap', whose temp"):
        build(material(TRAIN, ANSWERS, CLASSES, {"cheap": ANSWERS["cheap"][:0]}), targets="soft")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"select": {"by": "entropi", "share": 0.1}, "action": "drop"}, "did you mean 'entropy'"),
        ({"select": {"by": "entropy"}, "action": "drop"}, "needs 'share' or 'rows'"),
        (
            {"select": {"by": "flips", "share": 0.1, "rows": 3}, "action": "drop"},
            "'share' and 'rows' can't be combined",
        ),
        ({"select": {"by": "disagreement"}, "action": "drop"}, "needs 'of', a list of annotators"),
        ({"select": {"by": "flips"}}, "'select' and 'action' come together"),
        ({"select": {"by": "flips"}, "action": "relabel"}, "'action: relabel' and 'relabel_by'"),
        ({"relabel_by": "strong"}, "'action: relabel' and 'relabel_by'"),
        ({"at": 0.2}, "'at' is a rate of errors and needs 'noise'"),
        ({"labels": "gold", "targets": "soft"}, "'labels: gold' and 'targets: soft' can't be combined"),
        ({"labels": "gold", "noise": "uniform", "weights": "confidence"}, "'noise' and 'weights' can't be combined"),
        ({"repair": {"kind": "confident_learning"}}, "only doubts labels; name it in 'select.by'"),
        ({"control": "random", "of": "x", "targets": "soft"}, "'control' and 'targets' can't be combined"),
    ],
)
def test_what_makes_no_sense_is_refused(source, said):
    with pytest.raises(ValidationError, match=said):
        Source(annotator="cheap", **source)


def test_the_untreated_source_has_the_same_rows():
    sources = {
        "all": Source(annotator="cheap"),
        "few": Source(annotator="cheap", rows=250),
        "soft": Source(annotator="cheap", targets="soft"),
        "few_soft": Source(annotator="cheap", rows=250, targets="soft"),
        "noise": Source(annotator="cheap", labels="gold", noise="uniform"),
    }
    assert {name: plain(sources, name) for name in sources} == {
        "all": None, "few": None, "soft": "all", "few_soft": "few", "noise": None
    }  # fmt: skip


ENTROPY = {"by": "entropy", "share": 0.25}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"repair": {"kind": "chanel_ensemble"}}, "'sources.x.repair.kind' is 'chanel_ensemble' but must be one of"),
        (
            {"repair": {"kind": "channel_ensemble", "heds": 3}},
            "unknown key 'sources.x.repair.heds'; did you mean 'h",
        ),
        ({"select": {"by": "flips"}, "action": "gold"}, "sources.x selects by flips, but annotator 'model' gives one"),
        ({"select": ENTROPY, "action": "relabel", "relabel_by": "modell"}, "relabel_by names the unknown annotator"),
        (
            {"select": ENTROPY, "action": "relabel", "relabel_by": "gold"},
            "relabel_by is 'gold', which is gold",
        ),
        ({"select": ENTROPY, "action": "relabel", "relabel_by": "model"}, "relabel_by is 'model', whose labels these"),
        ({"action": "relabel", "relabel_by": "other"}, "has action: relabel without 'select', and 'other' labels all"),
        ({"select": {"by": "disagreement", "of": ["model", "x"]}, "action": "gold"}, "select.of names the unknown"),
        ({"annotator": "gold", "weights": "confidence"}, "sources.x: gold has no errors or doubts to copy"),
        (
            {"annotator": "other", "targets": "soft"},
            "sources.x has targets: soft, but annotator 'other' gives no",
        ),
        ({"annotator": "other", "weights": "confidence"}, "sources.x has weights: confidence, but annotator 'other'"),
        (
            {"annotator": "other", "select": {"by": "margin", "rows": 2}, "action": "drop"},
            "x selects by margin",
        ),
    ],
)
def test_what_does_not_fit_the_annotators_is_one_sentence(tmp_path, source, said):
    content = params()
    content["annotators"]["other"] = {"kind": "import", "reads": "labels.csv", "label": "label"}
    content["sources"]["x"] = {"annotator": "model"} | source
    write_study(tmp_path, content)
    with pytest.raises(LabelRiskError, match=rf"^\S+params\.yaml: [^\n]*{re.escape(said)}"):
        load(tmp_path / "params.yaml")


def test_what_fits_the_annotators_is_taken(tmp_path):
    content = params()
    content["annotators"]["other"] = {"kind": "import", "reads": "labels.csv", "label": "label"}
    content["sources"] |= {
        "part": {"annotator": "gold", "rows": 20},
        "noise": {"annotator": "gold", "labels": "gold", "noise": "uniform", "at": 0.2},
        "second": {"annotator": "model", "select": ENTROPY, "action": "relabel", "relabel_by": "other"},
        "repaired": {"annotator": "other", "repair": {"kind": "channel_ensemble"}},
        "doubted": {"annotator": "other", "select": {"by": "confident_learning"}, "action": "abstain"},
    }
    write_study(tmp_path, content)
    assert list(load(tmp_path / "params.yaml").sources)[-5:] == ["part", "noise", "second", "repaired", "doubted"]


def test_what_a_repair_measured_about_itself_is_kept_and_its_mistakes_name_the_source():
    generator = np.random.default_rng(0)
    truth = np.repeat([0, 1], 40)
    vectors = np.eye(2)[truth] + generator.normal(0, 0.1, (80, 2))
    train = pd.DataFrame({"id": [str(row) for row in range(80)], "text": "t", "gold": np.array(["a", "b"])[truth]})
    answers = pd.DataFrame({"label": train["gold"], "status": "ok"})
    known = material(train, {"cheap": answers}, ["a", "b"], vectors=vectors)
    repaired = build(known, repair={"kind": "channel_ensemble"})
    assert set(repaired.attrs["notes"]) == {"deviation", "bias"}
    doubted = build(known, select={"by": "small_loss", "rows": 2}, action="drop")
    assert set(doubted.attrs["notes"]) >= {"forgotten", "confirmed_alone", "confirmed_by_peer"}
    assert build(known).attrs["notes"] == {}
    with pytest.raises(LabelRiskError, match=r"^sources\.s\.repair: the annotator gave no class probabilities, from"):
        build(known, repair={"kind": "augmented_candidates"})
