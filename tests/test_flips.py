"""Which rows flip: rank statistics by hand and by scipy, gaps over rows and seeds, worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from evidence_worlds import certain, evidence_of
from scipy.stats import entropy, spearmanr
from sklearn.metrics import roc_auc_score

from labelrisk.explanations.evidence import Given
from labelrisk.explanations.flips.covariates import covariates, distances
from labelrisk.explanations.flips.explanation import flips
from labelrisk.statistics.intervals import rows_interval
from labelrisk.statistics.ranks import Relation, auc, ranked, spearman
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.seed_jackknife import SeedJackknife
from labelrisk.statistics.vote_spread import event_gap, pair_disagreements, vote_entropies

RUNS = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 2, 1], [0, 1, 2, 1]])


def entropies_of(runs, classes):
    return vote_entropies(runs, classes)[0]


def disagreements_of(runs, classes):
    return pair_disagreements(runs, classes)[0]


def gaps_of(runs, events):
    """How SeedJackknife sees the gap of one source."""
    whole, without = pair_disagreements(runs, 3)
    return SeedJackknife({"a": event_gap(whole, events)}, {"a": [event_gap(one, events) for one in without]})


def test_spreads_of_votes_by_hand():
    expected = [entropy(shares) for shares in ([1], [0.5, 0.5], [0.25, 0.25, 0.5], [1])]
    assert entropies_of(RUNS, 3) == pytest.approx(expected)
    assert entropies_of(RUNS, 3)[1] == pytest.approx(np.log(2))
    assert disagreements_of(RUNS, 3) == pytest.approx([0, 4 / 6, 5 / 6, 0])
    without = vote_entropies(RUNS, 3)[1]
    assert [one.tolist() for one in without] == [entropies_of(np.delete(RUNS, run, 0), 3).tolist() for run in range(4)]
    split = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2], [1, 0, 0], [1, 2, 0]])  # three of one class and two of another
    assert len(set(entropies_of(split[:, [0, 2]], 3))) == 1


def test_pairs_that_disagree_do_not_depend_on_how_many_seeds_there_are_and_entropies_do():
    generator = np.random.default_rng(0)
    runs = (generator.random((40, 4000)) < 0.2).astype(int)  # two disagree on 2 x .2 x .8 of the rows
    few, many = (entropies_of(runs[:number], 2).mean() for number in (3, 40))
    assert few < 0.75 * many
    for number in (3, 40):
        assert disagreements_of(runs[:number], 2).mean() == pytest.approx(0.32, abs=0.02)


@pytest.mark.parametrize("values", [3, 1000])
def test_rank_correlations_are_scipys_with_delete_one_influences(values):
    generator = np.random.default_rng(values)
    one = generator.integers(0, values, 300)
    other = one // 2 + generator.integers(0, values, 300)
    found = spearman(ranked(one), ranked(other))
    assert found.estimate == pytest.approx(spearmanr(one, other).statistic)
    without = [spearmanr(np.delete(one, row), np.delete(other, row)).statistic for row in range(300)]
    expected = 299 * (found.estimate - np.array(without))
    assert found.influences == pytest.approx(expected - expected.mean(), abs=0.05)
    assert found.influences.std() == pytest.approx(expected.std(), rel=0.01)


def test_rank_correlation_by_hand():
    assert spearman(ranked(np.array([1, 2, 3])), ranked(np.array([1, 3, 2]))).estimate == pytest.approx(0.5)
    assert np.isnan(spearman(ranked(np.ones(3)), ranked(np.arange(3))).estimate)


def test_areas_are_scikit_learns_with_the_variance_of_delong():
    generator = np.random.default_rng(1)
    events = generator.random(200) < 0.3
    scores = np.round(generator.standard_normal(200) + events, 1)
    found = auc(ranked(scores), events)
    assert found.estimate == pytest.approx(roc_auc_score(events, scores))
    beats = (scores[events][:, None] > scores[~events]) + 0.5 * (scores[events][:, None] == scores[~events])
    delong = beats.mean(axis=1).var(ddof=1) / events.sum() + beats.mean(axis=0).var(ddof=1) / (~events).sum()
    assert rows_interval(found.estimate, found.influences, 0.95).error == pytest.approx(np.sqrt(delong), rel=0.01)
    by_hand = auc(ranked(np.array([0.0, 0.5, 0.5, 1.0])), np.array([False, True, False, True]))
    assert by_hand.estimate == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert np.isnan(auc(ranked(scores), np.ones(200, dtype=bool)).estimate)


def test_gaps_of_pairs_by_hand():
    # with the event rows 1 and 2: 4/6 and 5/6 of pairs disagree; without it none
    events = np.array([False, True, True, False])
    found = event_gap(disagreements_of(RUNS, 3), events)
    assert found.estimate == pytest.approx(0.75)
    assert found.influences == pytest.approx([0, 4 / 2 * (4 / 6 - 0.75), 4 / 2 * (5 / 6 - 0.75), 0])
    without = pair_disagreements(RUNS, 3)[1]
    assert [one.tolist() for one in without] == [
        pytest.approx(disagreements_of(np.delete(RUNS, run, 0), 3).tolist()) for run in range(4)
    ]
    assert pair_disagreements(RUNS[:2], 3)[0].tolist() == [0, 0, 1, 0]
    assert pair_disagreements(RUNS[:2], 3)[1] == []


def test_with_two_runs_a_gap_has_the_interval_of_a_difference_of_shares():
    generator = np.random.default_rng(2)
    events = generator.random(400) < 0.4
    runs = np.stack([np.zeros(400, dtype=int), (generator.random(400) < 0.1 + 0.3 * events).astype(int)])
    found = gaps_of(runs, events).of("a", 0.95)
    shares = [(runs[0] != runs[1])[which] for which in (events, ~events)]
    assert found.estimate == pytest.approx(shares[0].mean() - shares[1].mean())
    error = np.sqrt(sum(one.var() / len(one) for one in shares))
    assert found.error == pytest.approx(error, rel=0.01)


def test_gaps_hold_the_truth_over_rows_and_seeds():
    """Seeds of a level of their own flip more rows with the event: an interval over rows alone would be too narrow."""
    generator, held, alone, errors = np.random.default_rng(3), 0, 0, []
    for _ in range(300):
        events = generator.random(400) < 0.4
        levels = np.clip(0.15 + 0.1 * generator.standard_normal(6), 0.01, 0.6)
        runs = (generator.random((6, 400)) < np.where(events, levels[:, None], 0.05)).astype(int)
        of = gaps_of(runs, events).of("a", 0.95)
        held += of.low <= TRUE_GAP <= of.high
        rows = rows_interval(*event_gap(disagreements_of(runs, 2), events), 0.95)
        alone += rows.low <= TRUE_GAP <= rows.high
        errors.append(of.estimate - TRUE_GAP)
    assert abs(np.mean(errors)) < 0.01
    assert held / 300 > 0.88
    assert alone / 300 < held / 300 - 0.1


@pytest.mark.parametrize("runs", [2, 3, 6])
def test_of_a_mean_over_seeds_the_jackknife_is_what_runs_vary_by(runs):
    """A mean needs no jackknife: RunVariances knows its components, and both come to one standard error."""
    generator = np.random.default_rng(6)
    hard, levels = generator.random(200), 0.2 * generator.standard_normal((2, runs, 1))
    right = (hard + levels + generator.random((2, runs, 200)) > 0.8).astype(float)
    values = dict(zip("ab", right, strict=True))
    scores = {name: of.mean(axis=1) for name, of in values.items()}
    exact = RunVariances.of_influences(
        scores, {name: of - of.mean(axis=1, keepdims=True) for name, of in values.items()}
    )

    def mean(of):
        of_row = of.mean(axis=0)
        return Relation(of_row.mean(), of_row - of_row.mean())

    found = SeedJackknife(
        {name: mean(of) for name, of in values.items()},
        {name: [mean(np.delete(of, run, 0)) for run in range(runs)] for name, of in values.items()},
    )
    if runs > 2:
        assert found.of("a", 0.95)[:4] == pytest.approx(exact.mean("a", 0.95)[:4], rel=0.02)
        assert found.difference("b", "a", 0.95).error == pytest.approx(exact.difference("b", "a", 0.95).error)
    else:
        rows = mean(values["a"])
        assert found.of("a", 0.95) == pytest.approx(rows_interval(rows.estimate, rows.influences, 0.95))
    assert found.difference("a", "a", 0.95)[:4] == (0.0, 0.0, 0.0, 0.0)


def expected_gap():
    """2 p (1 - q) over independent levels p, q with the event, minus 2 x .05 x .95 without."""
    levels = np.clip(0.15 + 0.1 * np.random.default_rng(4).standard_normal(10**6), 0.01, 0.6)
    return 2 * levels.mean() * (1 - levels.mean()) - 2 * 0.05 * 0.95


TRUE_GAP = expected_gap()


def world(rows=600, seeds=5, added=0.0, hard=0.3, classes=3, seed=0, probabilities=True, sources=None):
    """An annotator that is wrong on a third of the rows, and says so by its entropy.

    hard: chance of a flip of any student on these rows (.05 on others); added: that of llm's students in addition.
    """
    generator = np.random.default_rng(seed)
    gold = np.arange(rows) % classes
    wrong = generator.random(rows) < 1 / 3
    said = np.where(wrong, (gold + 1) % classes, gold)

    def students(more):
        flips = generator.random((seeds, rows)) < np.where(wrong, hard + more, 0.05)
        return certain(np.where(flips, (gold + 1) % classes, gold), classes)

    sure = np.where(wrong, 0.5, 0.9) + 0.05 * generator.random(rows)
    rest = (1 - sure) / (classes - 1)
    given = np.where(np.arange(classes) == said[:, None], sure[:, None], rest[:, None])
    return evidence_of(
        gold, {"gold": students(0.0), "llm": students(added)}, classes=classes, sources=sources,
        annotators={"llm": given if probabilities else said}, words=generator.integers(5, 50, rows),
    )  # fmt: skip


def line(found, covariate, source):
    return next(one for one in found.metrics["relations"] if (one["covariate"], one["source"]) == (covariate, source))


def said_of(found, words):
    return next(one for one in found.says if words in one)


def test_rows_that_flip_for_labels_alone_are_told_from_rows_that_are_hard_for_all():
    hard, labels = flips(world()), flips(world(hard=0.05, added=0.25))
    for found, added in ((hard, False), (labels, True)):
        llm = line(found, "annotator_wrong", "llm")
        assert llm["gap"]["low"] > 0.1
        assert llm["auc"]["low"] > 0.6
        against = llm["gap_against_reference"]
        assert (against["low"] > 0.1) == added
        assert (against["low"] < 0 < against["high"]) != added
        assert line(found, "annotator_entropy", "llm")["spearman"]["high"] < 1
        assert line(found, "annotator_entropy", "llm")["spearman"]["low"] > 0.2
        words = line(found, "words", "llm")["spearman"]
        assert words["low"] < 0 < words["high"]
    assert "By these numbers surely so for llm." in said_of(labels, "Is instability concentrated")
    assert "it can't be told for llm." in said_of(hard, "Is instability concentrated")
    gold = line(hard, "annotator_wrong", "gold")["gap"]
    assert gold["estimate"] == pytest.approx(2 * 0.3 * 0.7 - 2 * 0.05 * 0.95, abs=0.06)


def test_numbers_of_a_source_are_those_of_its_votes():
    evidence = world(rows=200)
    found = flips(evidence)
    runs, gold = evidence.study.students["llm"].predictions, evidence.study.test.gold
    spread = entropies_of(runs, 3)
    wrong = evidence.given["test"]["llm"].codes != gold
    assert found.metrics["sources"]["llm"]["flipped"]["estimate"] == pytest.approx((spread > 0).mean(), abs=1e-4)
    assert line(found, "annotator_wrong", "llm")["auc"]["estimate"] == pytest.approx(
        roc_auc_score(wrong, spread), abs=1e-4
    )
    sure = entropy(evidence.given["test"]["llm"].probabilities, axis=1)
    expected = spearmanr(sure, spread).statistic
    assert line(found, "annotator_entropy", "llm")["spearman"]["estimate"] == pytest.approx(expected, abs=1e-4)
    pairs = disagreements_of(runs, 3)
    assert line(found, "annotator_wrong", "llm")["disagree_where_wrong"] == pytest.approx(pairs[wrong].mean(), abs=1e-4)


def test_bins_and_rows_are_those_of_the_table():
    evidence = world(rows=500)
    found = flips(evidence)
    bins = found.tables["bins"]
    words = bins[(bins["covariate"] == "words") & (bins["source"] == "llm")]
    assert words["rows"].sum() == 500
    spread = entropies_of(evidence.study.students["llm"].predictions, 3)
    first = evidence.rows["test"].words <= words["highest"].iloc[0]
    assert words["flipped"].iloc[0] == pytest.approx((spread[first] > 0).mean())
    event = bins[(bins["covariate"] == "annotator_wrong") & (bins["source"] == "llm")]
    assert event["mean"].tolist() == [0.0, 1.0]
    table = found.tables["rows"]
    assert len(table) <= 200
    assert table["mean_entropy"].is_monotonic_decreasing
    assert "text" not in table
    place = evidence.rows["test"].ids.get_loc(table["id"].iloc[0])
    assert table["entropy of llm"].iloc[0] == pytest.approx(spread[place])


def test_distances_are_the_mean_of_the_nearest_cosines():
    generator = np.random.default_rng(5)
    vectors, train = generator.standard_normal((300, 6)), generator.standard_normal((40, 6))
    evidence = evidence_of(np.arange(300) % 2, {"gold": certain(np.zeros((2, 300), dtype=int), 2)}, classes=2,
                           vectors=vectors, train_vectors=train, train_gold=np.zeros(40, dtype=int))  # fmt: skip
    one, other = (of / np.linalg.norm(of, axis=1, keepdims=True) for of in (vectors, train))
    expected = 1 - np.sort(one @ other.T, axis=1)[:, -5:].mean(axis=1)
    assert distances(evidence) == pytest.approx(expected, abs=1e-6)
    few = evidence_of(np.arange(300) % 2, {"gold": certain(np.zeros((2, 300), dtype=int), 2)}, classes=2,
                      vectors=vectors, train_vectors=train, train_gold=np.zeros(40, dtype=int),
                      explain={"flips": {"train_rows": 10}})  # fmt: skip
    assert (distances(few) > expected - 1e-6).all()


def test_rows_without_a_label_are_neither_right_nor_wrong():
    evidence = world(rows=300)
    codes = evidence.given["test"]["llm"].codes.copy()
    codes[:60] = -1
    test = {"llm": Given(codes, None)}
    found = flips(replace(evidence, given={**evidence.given, "test": test}))
    assert line(found, "annotator_wrong", "llm")["rows"] == 240
    assert said_of(found, "Without probabilities of test rows there is no entropy of llm.")


def test_an_annotator_whose_only_source_is_the_reference_lacks_nothing():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 2, 200)
    runs = {name: certain(generator.integers(0, 2, (3, 200)), 2) for name in ("llm", "gold")}
    sources = {"llm": {"annotator": "llm"}, "gold": {"annotator": "gold"}}
    evidence = evidence_of(gold, runs, classes=2, annotators={"llm": certain(1 - gold, 2)}, sources=sources)
    found = flips(evidence)
    assert not any("no entropy of" in one or "too few to compare" in one for one in found.says)


def test_a_source_of_gold_labels_is_not_related_to_an_annotator_but_the_reference_is():
    sources = {"gold": {"annotator": "gold"}, "llm": {"annotator": "gold", "rows": 10}}
    assert {one.name for one in covariates(world(rows=100, sources=sources))} == {"words", "distance", "vote_wrong"}
    about = [one for one in covariates(world(rows=100)) if one.annotator == "llm"]
    assert [list(one.values) for one in about] == [["gold", "llm"]] * 2


def test_one_seed_flips_nothing():
    found = flips(world(rows=100, seeds=1))
    assert found.says == ["With one seed no row can flip: train two seeds or more."]
    assert not found.tables


@pytest.mark.parametrize("changes", [{"seeds": 2}, {"classes": 2}, {"rows": 25}])
def test_two_seeds_two_classes_or_few_rows(changes, tmp_path):
    found = flips(world(**({"rows": 200} | changes)))
    assert all(one[0].isupper() and one.endswith(".") for one in found.says)
    found.pictures[""](tmp_path / "flips.png")
    assert (tmp_path / "flips.png").stat().st_size > 10_000


def test_students_that_never_flip_have_no_correlation():
    gold = np.arange(90) % 3
    same = certain(np.stack([gold] * 3), 3)
    found = flips(evidence_of(gold, {"gold": same, "llm": same}, classes=3, annotators={"llm": gold[::-1].copy()}))
    assert line(found, "distance", "llm")["spearman"] == {"estimate": None, "low": None, "high": None}
    assert said_of(found, "Vote entropy has no rank correlation with the distance")
    assert found.tables["rows"].empty
    assert line(found, "annotator_wrong", "llm")["gap"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
