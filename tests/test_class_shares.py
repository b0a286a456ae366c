"""Class shares of labelled texts: never the naive count alone, and a warning where texts are unlike the known ones."""

import json

import numpy as np
import pandas as pd
import pytest
from applied_study import CLASSES, rows, study
from students import WORDS

from labelrisk.applying.report import report
from labelrisk.applying.shares_file import write_shares
from labelrisk.applying.summary import Summary
from labelrisk.classifiers.calibration import Calibration, Coverage
from labelrisk.classifiers.labelling import Said
from labelrisk.cli import main
from labelrisk.coders.estimates import Population, by_method
from labelrisk.errors import LabelRiskError
from labelrisk.statistics.drawn_rows import half_width
from labelrisk.statistics.label_shift import Answers, answers_of, corrected_shares, is_refuted, nearest_shares
from labelrisk.statistics.powered_shares import powered_shares


@pytest.fixture(scope="module")
def root():
    return study()


def predict(root, *words):
    assert main(["predict", "--classifier", str(root / "classifiers" / "chosen"), *words]) == 0


def test_shares_are_those_that_explain_the_answers():
    """Hand-worked: of class 0 the classifier finds 9 of 10, of class 1 it finds 8 of 10; .41 of 1,000 answers are 1."""
    gold = np.repeat([0, 1], 10)
    known = np.eye(2)[np.r_[np.zeros(9, int), 1, np.ones(8, int), 0, 0]]
    answers = Answers(1000, np.array([0.59, 0.41]), np.cov(np.eye(2)[np.r_[np.zeros(590, int), np.ones(410, int)]].T))
    found = corrected_shares(answers, known, gold, 0.95)
    share = (0.41 - 0.1) / (0.8 - 0.1)
    assert [one.share for one in found] == pytest.approx([1 - share, share])
    of_new = 0.59 * 0.41 / 999 / 0.7**2
    of_known = ((1 - share) ** 2 * 0.1 * 0.9 / 9 + share**2 * 0.2 * 0.8 / 9) / 0.7**2
    assert (found[1].high - found[1].low) / 2 > 1.96 * np.sqrt(of_new + of_known)
    assert (found[1].high - found[1].low) / 2 < 2.3 * np.sqrt(of_new + of_known)


def world(generator, share, rows):
    """Probabilities and gold: a class of this share, and a classifier that is right in three of four."""
    gold = (generator.random(rows) < share).astype(int)
    signal = generator.normal((2 * gold - 1) * 0.7)
    chance = 1 / (1 + np.exp(-1.4 * signal))
    return np.stack([1 - chance, chance], axis=1), gold


def test_intervals_hold_where_the_naive_count_never_does():
    generator, held, naive = np.random.default_rng(0), [], []
    for _ in range(200):
        known, gold = world(generator, 0.5, 300)
        new, truth = world(generator, 0.1, 5000)
        one = corrected_shares(answers_of(new), known, gold, 0.95)[1]
        held.append(one.low <= truth.mean() <= one.high)
        naive.append(abs((new[:, 1] > 0.5).mean() - truth.mean()) < 0.05)
    assert 0.91 <= np.mean(held) <= 0.99
    assert np.mean(naive) == 0


def test_too_few_test_rows_of_a_class_or_classes_that_are_not_told_apart_correct_nothing():
    known = np.random.default_rng(0).dirichlet([1, 1], 40)
    answers = answers_of(known)
    assert corrected_shares(answers, known, np.r_[np.zeros(36, int), np.ones(4, int)], 0.95) is None
    assert corrected_shares(answers, np.full((40, 2), 0.5), np.arange(40) % 2, 0.95) is None


def test_answers_that_no_shares_explain_refute_label_shift():
    generator, refuted = np.random.default_rng(2), []
    for share in (0.0, 0.02, 0.5):  # where label shift holds, also for a class that is not there
        for _ in range(60):
            known, gold = world(generator, 0.5, 300)
            refuted.append(is_refuted(answers_of(world(generator, share, 2000)[0]), known, gold, 0.95))
    assert np.mean(refuted) <= 0.05
    known, gold = world(generator, 0.5, 300)
    surer = np.tile([0.99, 0.01], (2000, 1)) + generator.normal(0, 0.001, (2000, 1)) * [1, -1]
    assert is_refuted(answers_of(surer), known, gold, 0.95)  # surer of a class than of any row that is of it
    assert not is_refuted(answers_of(surer), known[:6], gold[:6], 0.95)  # too few rows with gold tell nothing


def test_shares_that_label_shift_can_not_explain_are_not_to_be_trusted(root):
    summary = summary_of(root)
    given = np.tile(np.array([[0.99999, 0.00001]], np.float32), (400, 1))
    summary.add(Said(given, np.zeros(400, bool), np.zeros(400, np.float32), [None] * 400))
    text = " ".join(report(summary, 32, "x").split())
    assert "The answers fit no shares at all, so that this does not hold here: do not trust it" in text


def test_the_nearest_shares_are_shares():
    assert nearest_shares(np.array([0.2, 0.8])) == pytest.approx([0.2, 0.8])
    assert nearest_shares(np.array([-0.1, 1.1])) == pytest.approx([0, 1])
    assert nearest_shares(np.array([0.6, 0.6, -0.2])) == pytest.approx([0.5, 0.5, 0])


def test_with_gold_it_is_the_prediction_powered_estimate():
    """That of statistics.prediction_powered, which holds all rows; there the power is tuned on all of them."""
    generator = np.random.default_rng(1)
    given, gold = world(generator, 0.3, 2000)
    drawn = generator.choice(2000, 150, replace=False)
    chance = np.full(2000, 150 / 2000)
    found = powered_shares(given.mean(axis=0), 2000, given[drawn], np.eye(2)[gold[drawn]], chance[drawn], 0.95)
    human = np.full(2000, -1)
    human[drawn] = gold[drawn]
    population = Population(human, chance, given.argmax(axis=1), np.empty((2000, 0)))
    wanted = by_method(population, np.ones((2000, 1)), np.eye(2)[gold], given, given)["PPI++"]
    half = half_width(wanted.errors, wanted.degrees, 0.95)[0, 0]
    assert [one.share for one in found] == pytest.approx(wanted.values[0, 0], abs=2e-3)
    assert [(one.high - one.low) / 2 for one in found] == pytest.approx(half, rel=0.03)
    assert found[1].high - found[1].low < 2 * 1.96 * np.sqrt(0.3 * 0.7 / 150) * 0.95  # less than gold alone would take


def test_gold_of_rows_that_were_drawn_unequally_needs_their_chances(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    frame = rows(1500, seed=11, share=0.2)
    chance = np.where(frame["gold"] == "yes", 0.5, 0.1)
    drawn = np.random.default_rng(0).random(1500) < chance
    frame.assign(gold=frame["gold"].where(drawn), chance=np.where(drawn, chance, np.nan)).to_parquet("in.parquet")
    words = ["--in", "in.parquet", "--gold", "gold", "--probability", "chance"]
    predict(root, *words, "--out", "out.parquet", "--shares", "shares.json")
    assert f"by the {drawn.sum()} rows with gold (PPI++)" in " ".join(capsys.readouterr().out.split())
    found = {one["class"]: one for one in json.loads((tmp_path / "shares.json").read_text())["shares"]}
    truth = (frame["gold"] == "yes").mean()
    assert found["yes"]["low"] <= truth <= found["yes"]["high"]
    assert found["yes"]["high"] - found["yes"]["low"] < 0.12
    predict(root, *words[:4], "--out", "out2.parquet", "--shares", "wrong.json")  # as if they were drawn at random
    wrong = {one["class"]: one for one in json.loads((tmp_path / "wrong.json").read_text())["shares"]}
    assert wrong["yes"]["low"] > truth
    frame.assign(chance=0.0).to_parquet("in.parquet")
    assert main(["predict", "--classifier", str(root / "classifiers" / "chosen"), *words, "--out", "out3.csv"]) == 1
    assert "in.parquet, row 1: chance is 0.0, but the row has gold" in capsys.readouterr().err


def test_a_corpus_of_other_shares_is_corrected_in_whole_and_by_slice(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    parts = [rows(1500, seed=at, share=share).assign(outlet=name) for at, (name, share) in
             enumerate([("=few", 0.05), ("many", 0.6)], 20)]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    frame.drop(columns="gold").to_csv("in.csv", index=False)
    predict(root, "--in", "in.csv", "--out", "out.csv", "--by", "outlet", "--shares", "shares.csv")
    said = " ".join(capsys.readouterr().out.split())
    assert "(label shift): texts of a class are the same in both." in said
    assert "No sign that the texts are unlike those the classifier learned from" in said
    found = pd.read_csv("shares.csv", encoding="utf-8-sig").set_index(["slice", "class"])
    assert list(found.index) == [(name, one) for name in (np.nan, "'=few", "many") for one in CLASSES]
    truth = frame.assign(yes=frame["gold"] == "yes").groupby("outlet")["yes"].mean()
    for name, share in (("'=few", truth["=few"]), ("many", truth["many"])):
        row = found.loc[name, "yes"]
        assert row["low"] <= share <= row["high"]
        assert row["rows"] == 1500
    assert abs(found.loc["'=few", "yes"]["naive"] - truth["=few"]) > 0.05
    assert found["method"].unique().tolist() == ["label shift"]
    assert not found["unlike_warning"].any()


def test_texts_of_another_kind_are_told_in_whole_and_by_slice(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    other = [" ".join(generator.choice(["xyzzy", "plugh", WORDS[0]], 12)) for _ in range(300)]
    alike = rows(300, seed=31).assign(source="alike")
    pd.concat([alike, pd.DataFrame({"text": other, "source": "other"})]).to_parquet("in.parquet")
    predict(root, "--in", "in.parquet", "--out", "out.parquet", "--by", "source")
    printed = capsys.readouterr().out
    said = " ".join(printed.split())
    assert "WARNING: these texts are not like those the classifier learned from" in said
    assert "These texts are not (below): do not trust it" in said
    marked = {line.split()[0] for line in printed.splitlines() if line.endswith("WARNING")}
    assert marked == {"other"}
    assert max(map(len, printed.splitlines())) <= 80
    found = pd.read_parquet("out.parquet")
    assert (
        found.groupby("source")["unlike"].mean()["alike"]
        < 0.1
        < 0.5
        < found.groupby("source")["unlike"].mean()["other"]
    )


def summary_of(root, **options):
    from labelrisk.classifiers.calibration import digest, read_calibration

    chosen = root / "classifiers" / "chosen"
    calibration: Calibration = read_calibration(root / "classifiers" / "calibration" / "chosen.json", digest(chosen))
    return Summary(CLASSES, calibration, has_gold=False, has_distance=True, **options)


def said(count):
    given = np.random.default_rng(0).dirichlet([1, 1], count).astype(np.float32)
    return Said(given, np.zeros(count, bool), np.zeros(count, np.float32), [None] * count)


def test_counts_are_the_same_in_whatever_batches_they_come(root):
    whole, parts = summary_of(root), summary_of(root)
    every = said(200)
    whole.add(every, [str(at % 3) for at in range(200)])
    for start in range(0, 200, 7):
        part = slice(start, start + 7)
        parts.add(Said(*(of[part] for of in every)), [str(at % 3) for at in range(200)][part])
    for one, other in ((whole.whole, parts.whole), *((whole.slices[name], parts.slices[name]) for name in "012")):
        assert one.labels.tolist() == other.labels.tolist()
        assert one.answers.mean == pytest.approx(other.answers.mean)
        assert one.answers.covariance == pytest.approx(other.answers.covariance)


def test_a_count_of_labels_never_stands_alone(root, tmp_path):
    summary = summary_of(root)
    summary.add(said(20))  # too few to correct
    text = " ".join(report(summary, 32, "x").split())
    assert "can't be corrected, for they are of fewer than 30 rows, and are not told" in text
    assert "naive" not in text
    write_shares(summary, None, tmp_path / "shares.json")
    rows = json.loads((tmp_path / "shares.json").read_text())["shares"]
    assert [one["naive"] for one in rows] == [None, None]


def test_what_sets_held_is_told_beside_what_luck_allows(root):
    summary = summary_of(root)
    form = summary.calibration.form
    summary.add(said(40))
    for share, low, high, says in (
        (0.86, 0.84, 0.88, "validation rows allows"),
        (0.6, 0.55, 0.65, "fewer than luck explains, so count on the measured share"),
    ):
        measured = Coverage(rows=1000, share=share, low=low, high=high)
        sets = form.sets.model_copy(update={"validation_rows": 200, "on_test": measured})
        summary.calibration = summary.calibration._replace(form=form.model_copy(update={"sets": sets}))
        text = " ".join(report(summary, 32, "x").split())
        assert says in text
        assert "where the luck of 200 validation rows allows 85.1 to 94.1" in text
        assert ("count on" in text) == (share == 0.6)


def test_a_column_of_too_many_values_is_one_sentence(root):
    with pytest.raises(LabelRiskError, match="the column of --by has more than 1,000 values"):
        summary_of(root).add(said(1100), [str(at) for at in range(1100)])
