"""Ensembles: weights, stacking, redraws and left-out seeds by hand and against references; what is said of them."""

import json
import re
from itertools import combinations
from math import comb

import krippendorff
import numpy as np
import pytest
from evidence_worlds import certain, evidence_of
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from small_study import settings

from labelrisk.comparison.chosen_ensemble import chosen_ensemble, members_of, validation_scores
from labelrisk.comparison.claims.contract import cases
from labelrisk.comparison.findings_table import findings_text
from labelrisk.comparison.runs import Run
from labelrisk.explanations.contract import claims_of, outputs
from labelrisk.explanations.ensembles.explanation import ensembles
from labelrisk.explanations.ensembles.gains import METRICS
from labelrisk.explanations.ensembles.pools import TOGETHER, pools
from labelrisk.statistics.agreement import alpha_influences, krippendorff_alpha, unchanged
from labelrisk.statistics.ensemble_redraws import (
    agreement_interval,
    agreement_of_pairs,
    disjoint_pairs,
    extrapolated,
    seeds_part,
    subset_votes,
    subsets,
)
from labelrisk.statistics.ensembles import (
    FLOOR,
    Stacker,
    best_penalty,
    log_probabilities,
    mixture_weights,
    shared_weights,
    weighted_votes,
)
from labelrisk.statistics.intervals import Component
from labelrisk.statistics.pseudo_runs import JointVariances, halves, mean_runs, pseudo_runs, variances_of
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import accuracy, confusion, macro_f1
from labelrisk.statistics.votes import soft_vote


def students(gold, runs, classes, noise, seed, shift=0.0):
    """Probabilities (R, N, K) of runs whose logits share a row's difficulty and differ by noise of their own.

    shift: of the logit of class 0 in all rows, an error that all runs make alike.
    """
    generator = np.random.default_rng(seed)
    logits = np.repeat(generator.normal(0, 1, (1, len(gold), classes)), runs, axis=0)
    logits[:, np.arange(len(gold)), gold] += 2
    logits[:, :, 0] += shift
    logits += generator.normal(0, noise, logits.shape)
    shares = np.exp(2 * (logits - logits.max(axis=-1, keepdims=True)))
    return (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)


def drawn_gold(rows, classes, seed=0):
    return np.random.default_rng([seed, 99]).integers(0, classes, rows)


# weights


def test_weights_by_hand():
    """Of two members the one that is always sure gets all, and equals share."""
    gold = np.array([0, 1])
    sure, unsure = np.array([[1.0, 0.0], [0.0, 1.0]]), np.full((2, 2), 0.5)
    assert mixture_weights(np.stack([sure, unsure]), gold) == pytest.approx([1, 0], abs=1e-4)
    assert mixture_weights(np.stack([unsure, unsure]), gold) == pytest.approx([0.5, 0.5])
    # each is right in half of the rows, with .8 against .4: by symmetry equal weights
    either = np.array([[0.8, 0.2], [0.6, 0.4]])
    assert mixture_weights(np.stack([either, 1 - either[::-1]]), gold) == pytest.approx([0.5, 0.5])


def test_weights_maximise_the_mean_log_likelihood():
    gold = drawn_gold(150, 3)
    members = np.concatenate([students(gold, 1, 3, noise, seed) for seed, noise in enumerate((0.3, 1.0, 2.0))])
    right = np.maximum(members[:, np.arange(150), gold].astype(float), FLOOR)
    found = minimize(
        lambda logit: -np.log((np.exp(logit) / np.exp(logit).sum()) @ right).mean(), np.zeros(3), method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 5000},
    )  # fmt: skip
    reference = np.exp(found.x) / np.exp(found.x).sum()
    weights = mixture_weights(members, gold)
    assert weights == pytest.approx(reference, abs=0.01)
    assert -np.log(weights @ right).mean() <= found.fun + 1e-5


def test_a_weighted_vote_takes_the_class_of_the_highest_weighted_mean():
    members = np.array([[[0.6, 0.4]], [[0.1, 0.9]]])
    assert weighted_votes(members, np.array([[1.0, 0.0], [0.5, 0.5]])).tolist() == [[0], [1]]  # .35 against .65


# stacking


def stacked(members, gold, penalty=None):
    logs = log_probabilities(members)
    return Stacker(logs, gold, penalty or best_penalty(logs, gold, np.random.default_rng(0)))


@pytest.mark.parametrize("classes", [2, 3])
def test_stacking_is_logistic_regression_on_log_probabilities(classes):
    gold = drawn_gold(300, classes)
    members = students(gold, 4, classes, 0.7, 1)
    table = np.concatenate(list(np.log(np.maximum(members.astype(float), FLOOR))), axis=1)  # members side by side
    reference = LogisticRegression(C=0.01, max_iter=5000, tol=1e-8).fit(table[:200], gold[:200])
    said = stacked(members[:, :200], gold[:200], 0.01).vote(log_probabilities(members[:, 200:]))
    assert (said == reference.predict(table[200:])).mean() > 0.98


def test_stacking_undoes_an_error_that_all_members_make_alike():
    """All confuse two classes for sure; weights can't undo it, gold of validation rows can."""
    gold, of_validation = drawn_gold(400, 2), drawn_gold(200, 2, 1)
    test, validation = (certain(np.stack([1 - of] * 3), 2) for of in (gold, of_validation))
    assert (stacked(validation, of_validation).vote(log_probabilities(test)) == gold).all()
    assert (weighted_votes(test, mixture_weights(validation, of_validation)[None])[0] != gold).all()


def test_the_penalty_is_strong_where_members_know_nothing():
    gold = drawn_gold(60, 3)
    nothing = log_probabilities(np.random.default_rng(2).dirichlet(np.ones(3), (5, 60)))
    assert best_penalty(nothing, gold, np.random.default_rng(0)) == 0.001
    known = log_probabilities(students(gold, 5, 3, 0.1, 3))
    assert best_penalty(known, gold, np.random.default_rng(0)) > 0.001


def test_one_class_alone_and_a_class_that_is_absent():
    gold = np.ones(30, dtype=int)
    members = students(gold, 2, 3, 0.5, 4)
    assert (stacked(members, gold).vote(log_probabilities(members)) == 1).all()
    rare = np.where(np.arange(30) == 7, 3, np.arange(30) % 2)  # one row of class 3, none of 2: some folds lack it
    members = students(rare, 2, 4, 0.5, 5)
    assert set(stacked(members, rare).vote(log_probabilities(members))) <= {0, 1, 3}
    assert set(stacked(members, rare, 100.0).vote(log_probabilities(members))) == {0, 1, 3}


def test_halves_keep_the_weights_and_share_those_of_the_others():
    weights = np.array([0.5, 0.3, 0.2])
    assert shared_weights(weights, [0, 2]) == pytest.approx([0.65, 0.35])
    assert shared_weights(weights, [0, 1, 2]) == pytest.approx(weights)


def test_the_mean_stands_for_members_that_are_not_asked():
    gold = drawn_gold(100, 3)
    members = students(gold, 3, 3, 0.7, 1)
    logs, stacker = log_probabilities(members), stacked(members, gold, 0.01)
    stood = np.stack([logs[0], (logs[0] + logs[2]) / 2, logs[2]])
    assert (stacker.vote(logs, [0, 2]) == stacker.vote(stood)).all()
    assert (stacker.vote(logs, [0, 1, 2]) == stacker.vote(logs)).all()


# the shares of seeds


def test_shares_of_seeds_by_hand():
    """Of three seeds the pairs have accuracies .5, .75 and 1: b is the half of what seeds add, by least squares."""
    gold = np.array([0, 0, 1, 1])
    codes = np.array([[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    parts = [(0, 1), (0, 2), (1, 2)]
    found = pseudo_runs(gold, codes, parts, 2, accuracy)
    # b_0 + b_1 = -.25, b_0 + b_2 = 0, b_1 + b_2 = .25: b = -.25, 0, .25, and m is 2
    assert found.scores == pytest.approx([0.75 - 0.5, 0.75, 0.75 + 0.5])
    right = (codes == gold).astype(float)
    assert found.influences.mean(axis=0) == pytest.approx(right[0] - 0.75)
    # the last row: only the seeds 1 and 2 together have it right
    assert found.influences[:, 3] - (right[0] - 0.75)[3] == pytest.approx(
        2 * (np.array([-2, 1, 1]) / 3 - [-0.25, 0, 0.25])
    )


@pytest.mark.parametrize("runs", [2, 3, 5, 10])
def test_of_a_mean_over_seeds_the_shares_are_the_seeds_own_numbers(runs, monkeypatch):
    """For a score that is the mean over its seeds, whichever halves are drawn; the tables' metric is made up."""
    numbers = np.random.default_rng(1).normal(size=runs)
    parts = halves(runs, np.random.default_rng(2))
    assert all(len(part) == (runs + 1) // 2 for part in parts)
    told = np.array([numbers.mean(), *(numbers[list(part)].mean() for part in parts)])
    monkeypatch.setattr("labelrisk.statistics.pseudo_runs.row_influences", lambda *_: np.outer(told, [1.0, -1.0]))
    found = pseudo_runs(np.zeros(2, dtype=int), np.zeros((len(told), 2), dtype=int), parts, 2, lambda _: told)
    assert found.scores == pytest.approx(numbers)
    assert found.influences == pytest.approx(np.outer(numbers, [1.0, -1.0]))


def test_for_a_mean_of_single_students_they_are_the_students():
    gold = drawn_gold(200, 3)
    runs = students(gold, 4, 3, 1.0, 6).argmax(axis=-1)
    counts = np.stack([confusion(gold, run, 3) for run in runs])
    ours = variances_of({"a": mean_runs(gold, [runs], [counts], macro_f1)}).mean("a", 0.95)
    assert ours == pytest.approx(RunVariances(gold, {"a": runs}, {"a": counts}, macro_f1).mean("a", 0.95))


def test_a_single_seed_varies_with_the_rows_alone():
    gold = np.array([0, 0, 1, 1, 1])
    found = pseudo_runs(gold, np.array([[0, 0, 1, 0, 1]]), [], 2, accuracy)
    interval = variances_of({"a": found}).mean("a", 0.95)
    assert found.scores.tolist() == [0.8]
    assert interval.error == pytest.approx(np.sqrt(0.8 * 0.2 / 4))  # the jackknife of a share
    assert interval.degrees == pytest.approx(4)


def test_what_is_of_the_same_seeds_varies_together():
    gold = drawn_gold(300, 3)
    runs = {name: students(gold, 4, 3, 1.0, seed).argmax(axis=-1) for seed, name in enumerate("ab")}
    of = {
        name: mean_runs(gold, [one], [np.stack([confusion(gold, run, 3) for run in one])], macro_f1)
        for name, one in runs.items()
    }
    joint = JointVariances({"a": of["a"], "again": of["a"], "b": of["b"]}, {"a": "a", "again": "a", "b": "b"})
    nothing = joint.difference("a", "again", 0.95)
    assert nothing[:3] == pytest.approx((0, 0, 0))
    assert joint.difference("a", "b", 0.95) == pytest.approx(variances_of(of).difference("a", "b", 0.95))
    twice = joint.contrast({"a": 1.0, "again": 1.0, "b": -2.0}, 0.95)
    assert twice[:4] == pytest.approx([2 * number for number in joint.difference("a", "b", 0.95)[:4]])


# redraws


def test_all_choices_or_so_many_different_ones():
    generator = np.random.default_rng(0)
    assert subsets(4, 2, 10, generator) == list(combinations(range(4), 2))
    drawn = subsets(10, 5, 30, generator)
    assert len(set(drawn)) == 30
    assert all(len(set(one)) == 5 for one in drawn)


@pytest.mark.parametrize(("runs", "size"), [(5, 1), (5, 2), (4, 2), (6, 3), (7, 2)])
def test_all_pairs_share_no_run_and_each_is_there_once(runs, size):
    pairs = disjoint_pairs(runs, size, 1000, np.random.default_rng(0))
    assert len(pairs) == comb(runs, size) * comb(runs - size, size) // 2
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(not set(one) & set(other) for one, other in pairs)
    some = disjoint_pairs(10, 4, 20, np.random.default_rng(1))
    assert len({frozenset(pair) for pair in some}) == 20
    assert all(not set(one) & set(other) for one, other in some)
    assert some == disjoint_pairs(10, 4, 20, np.random.default_rng(1))


def test_votes_of_choices_are_soft_votes(monkeypatch):
    monkeypatch.setattr("labelrisk.statistics.ensembles.HELD", 50)  # rows in several parts
    probabilities = students(drawn_gold(100, 4), 5, 4, 1.0, 7)
    chosen = [(0,), (1, 3), (0, 1, 2, 3, 4)]
    votes = subset_votes(probabilities, chosen)
    for one, vote in zip(chosen, votes, strict=True):
        assert (vote == soft_vote(probabilities[list(one)])).all()


def test_of_single_runs_it_is_the_alpha_of_the_runs():
    runs = students(drawn_gold(150, 3), 5, 3, 1.0, 8).argmax(axis=-1)
    places = np.array(list(combinations(range(5), 2)))
    found = agreement_of_pairs(runs, places, 3)
    assert found.alpha == pytest.approx(krippendorff_alpha(runs, 3))
    assert found.alpha == pytest.approx(krippendorff.alpha(runs, level_of_measurement="nominal"))
    assert found.alpha_influences == pytest.approx(alpha_influences(runs, 3))
    assert found.p_uc == pytest.approx(np.mean([unchanged(runs[list(pair)]) for pair in places]))


def test_agreement_of_two_ensembles_by_hand():
    """Two disagree in one of four rows: D_o .25; classes 5/8 and 3/8, D_e 30/56; alpha 1 - .25 * 56 / 30."""
    votes = np.array([[0, 0, 0, 1], [0, 0, 1, 1]])
    found = agreement_of_pairs(votes, np.array([[0, 1]]), 2)
    assert found.alpha == pytest.approx(1 - 0.25 * 56 / 30)
    assert found.p_uc == 0.75
    one_class = agreement_of_pairs(np.zeros((2, 4), dtype=int), np.array([[0, 1]]), 2)
    assert np.isnan(one_class.alpha)
    assert one_class.p_uc == 1


def test_the_interval_of_agreement_is_wider_with_the_seeds():
    runs = students(drawn_gold(300, 3), 5, 3, 1.0, 9).argmax(axis=-1)
    found = agreement_of_pairs(runs, np.array(list(combinations(range(5), 2))), 3)
    rows = agreement_interval(found.alpha, found.alpha_influences, Component(0.0, 0.0), 0.95)
    both = agreement_interval(found.alpha, found.alpha_influences, seeds_part(runs, 3), 0.95)
    assert both.low < rows.low < found.alpha < rows.high < both.high < 1


def test_extrapolation_is_a_power_of_the_number_of_members():
    assert extrapolated(0.6, 0.8, 2) == pytest.approx(0.8)
    assert extrapolated(0.6, 0.8, 1) == pytest.approx(0.6)
    assert extrapolated(0.6, 0.8, 4) == pytest.approx(0.9)  # halved with each doubling
    assert np.isnan(extrapolated(1.0, 1.0, 5))


@pytest.mark.parametrize("classes", [2, 4])
def test_alpha_of_five_is_foreseen_from_five_seeds(classes):
    """The world has 40 seeds: five of them foresee what pairs of ensembles of five agree by, within .05."""
    probabilities = students(drawn_gold(800, classes), 40, classes, 0.8, 10)

    def alpha(of, size, most):
        pairs = disjoint_pairs(len(of), size, most, np.random.default_rng(0))
        chosen = [one for pair in pairs for one in pair]
        places = np.arange(len(chosen)).reshape(-1, 2)
        return agreement_of_pairs(subset_votes(of, chosen), places, classes).alpha

    true = alpha(probabilities, 5, 60)
    few = [probabilities[at : at + 5] for at in range(0, 40, 5)]
    foreseen = [extrapolated(alpha(five, 1, 60), alpha(five, 2, 60), 5) for five in few]
    assert np.abs(np.array(foreseen) - true).max() < 0.05
    assert true - alpha(probabilities, 1, 60) > 0.05  # there is something to foresee


# the choice


def test_the_best_vote_on_validation_is_chosen_of_equals_the_first():
    gold = np.array([0, 1, 2, 0])
    good, bad = certain(np.stack([gold] * 3), 3), certain(np.stack([gold * 0] * 3), 3)
    unseen = good.copy()
    unseen[1, 3] = np.nan  # a row that one student did not predict is nobody's
    scores = validation_scores({"bad": bad, "good": unseen, "same": good}, gold, 3)
    assert scores["good"] == scores["same"] == 1
    assert scores["bad"] == pytest.approx(0.5 / 3)  # of three rows
    how = settings()
    assert chosen_ensemble(how, {"perfect": 0.5, "constant": 0.9, "wavering": 0.9}) == "constant"
    assert chosen_ensemble(how, {}) == "perfect"  # the reference
    assert validation_scores({"a": np.full((2, 4, 3), np.nan)}, gold, 3) == {}
    declared = settings(ensemble={"across": ["perfect", "wavering"], "chosen": "across"})
    assert chosen_ensemble(declared, {"perfect": 1.0}) == "across"
    assert members_of(declared, "across") == ("perfect", "wavering")
    assert members_of(declared, "constant") == ("constant",)


# worlds

SOURCES = {"gold": {"annotator": "gold"}, "llm": {"annotator": "llm"}}
CHOSEN = {"annotator": "llm", "select": {"by": "random", "share": 0.1}, "action": "gold"}


def world(noises, rows=600, runs=5, classes=3, shifts=None, validation_rows=100, sources=None, **changes):
    gold, of_validation = drawn_gold(rows, classes), drawn_gold(validation_rows, classes, 1)
    shifts = shifts or dict.fromkeys(noises, 0.0)
    test, validation = (
        {
            name: students(of, runs, classes, noise, 20 + at, shifts[name])
            for at, (name, noise) in enumerate(noises.items())
        }
        for of in (gold, of_validation)
    )
    return evidence_of(gold, test, classes=classes, validation_gold=of_validation, validation=validation,
                       sources=sources or {name: SOURCES[name] for name in noises}, **changes)  # fmt: skip


def table_of(evidence):
    found = ensembles(evidence)
    return found, found.tables[""].set_index(["ensemble", "way"])


def test_noise_of_the_seeds_is_voted_away_and_a_common_error_is_not():
    found, table = table_of(world({"gold": 1.5, "llm": 0.0}))
    assert table.loc[("gold", "vote"), "gain_low"] > 0.05
    assert table.loc[("llm", "vote"), ["gain", "gain_low", "gain_high"]].tolist() == pytest.approx([0, 0, 0])
    assert table.loc[("gold", "vote"), "cost"] == 5
    assert table.loc[("gold", "best student"), "cost"] == 1
    gold = table.loc[("gold", "vote")]
    assert gold["gain_per_further_student"] == pytest.approx(gold["gain"] / 4)
    assert "it surely gains for 1 of 2 ensembles" in found.says[0]
    assert found.metrics["chosen"] == "llm"  # whose students are not noisy


def test_gains_are_paired_with_the_mean_student():
    _, table = table_of(world({"gold": 1.0, "llm": 1.0}))
    for name in ("gold", "llm"):
        vote, mean = (table.loc[(name, way), "macro_f1"] for way in ("vote", "mean student"))
        assert table.loc[(name, "vote"), "gain"] == pytest.approx(vote - mean)
        best = table.loc[(name, "best student"), "macro_f1"]
        assert table.loc[(name, "vote"), "over_best"] == pytest.approx(vote - best)


def test_the_best_student_is_chosen_on_validation_and_never_on_test():
    gold = drawn_gold(300, 2)
    runs = np.stack([gold, 1 - gold, gold])
    on_validation = np.stack([np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1]), np.array([0, 1, 0, 0])])
    evidence = evidence_of(gold, {"gold": certain(runs, 2)}, classes=2, validation_gold=np.array([0, 1, 0, 1]),
                           validation={"gold": certain(on_validation, 2)})  # fmt: skip
    _, table = table_of(evidence)
    assert table.loc[("gold", "best student"), "accuracy"] == pytest.approx(0)  # right on validation, wrong on test


def test_stacking_is_ahead_where_all_students_overdo_one_class():
    found, table = table_of(world({"gold": 0.3, "llm": 0.3}, shifts={"gold": 0.0, "llm": 2.5}, validation_rows=200))
    assert table.loc[("llm", "stacked"), "over_vote_low"] > 0.03
    assert abs(table.loc[("gold", "stacked"), "over_vote"]) < 0.03
    assert any("stacking changes macro-F1 by" in says for says in found.says)


def test_over_sources_the_votes_of_sources_are_the_members():
    sources = SOURCES | {"some": CHOSEN, "noise": {"annotator": "llm", "labels": "gold", "noise": "uniform"}}
    evidence = world({"gold": 0.5, "llm": 0.5, "some": 0.5, "noise": 0.5}, sources=sources,
                     ensemble={"across": ["gold", "llm"]})  # fmt: skip
    assert [pool.name for pool in pools(evidence.study)] == [*sources, "across", "all of llm"]
    *_, across, every = pools(evidence.study)
    assert [len(pool.students) for pool in (across, every)] == [2, 2]  # without gold with noise
    assert across.size == 10
    said, parts = across.said(evidence.settings.ensembles)
    together = np.concatenate([evidence.study.students[name].probabilities for name in ("gold", "llm")])
    assert (said["vote"][0] == soft_vote(together)).all()
    place = parts.index((0, 2, 3))  # of both sources
    assert (said["vote"][1 + place] == soft_vote(together[[0, 2, 3, 5, 7, 8]])).all()
    sources.pop("noise")
    same = world(dict.fromkeys(sources, 0.5), sources=sources, ensemble={"across": ["some", "llm"]})
    assert [pool.name for pool in pools(same.study)] == ["gold", "llm", "some", "across"]  # once only


def test_ensembles_agree_more_than_single_students_and_five_take_ten_seeds():
    found = ensembles(world({"gold": 1.5}, runs=10, rows=400))
    of = found.metrics["stability"]["gold"]
    assert [one["members"] for one in of] == [1, 2, 3, 4, 5]
    alphas = [one["alpha"] for one in of]
    assert alphas == sorted(alphas)
    assert alphas[4] > alphas[0] + 0.1
    assert all(one["alpha_low"] < one["alpha"] < one["alpha_high"] for one in of)
    assert not any("can be measured with 10 seeds" in says for says in found.says)
    five = ensembles(world({"gold": 1.5}, runs=5, rows=400))
    assert [one["members"] for one in five.metrics["stability"]["gold"]] == [1, 2]
    assert any("can be measured with 10 seeds or more, and here are 5; extrapolated" in says for says in five.says)
    sizes = found.tables["sizes"]
    assert sizes["members"].tolist() == list(range(1, 11))
    assert sizes["macro_f1"].iloc[-1] > sizes["macro_f1"].iloc[0] + 0.02


def test_the_first_size_is_the_single_student_and_the_last_the_vote():
    evidence = world({"gold": 1.0, "llm": 1.0})
    found, table = table_of(evidence)
    sizes = found.tables["sizes"].set_index(["source", "members"])
    for source in ("gold", "llm"):
        assert sizes.loc[(source, 1), "macro_f1"] == pytest.approx(table.loc[(source, "mean student"), "macro_f1"])
        assert sizes.loc[(source, 5), "macro_f1"] == pytest.approx(table.loc[(source, "vote"), "macro_f1"])
        runs = evidence.study.students[source].predictions
        assert sizes.loc[(source, 1), "alpha"] == pytest.approx(krippendorff_alpha(runs, 3))


# the claim


def claim_in(evidence):
    return ensembles(evidence).claims["llm"]["ensemble_closes_gap"]


def test_a_gap_of_noise_is_closed_and_one_of_a_common_error_is_not():
    noisy = claim_in(world({"gold": 0.2, "llm": 1.5}, rows=2000))
    assert noisy.finding == "holds"
    assert noisy.low > 0.5
    common = claim_in(world({"gold": 0.3, "llm": 0.3}, rows=2000, shifts={"gold": 0.0, "llm": 3.0}))
    assert common.finding == "does not hold"
    assert common.high < 0.5
    assert claim_in(world({"gold": 0.5, "llm": 0.5})).because == "It is not sure that there is a gap to gold."


def test_the_share_of_the_gap_is_of_mean_students():
    evidence = world({"gold": 0.2, "llm": 1.5}, rows=2000)
    scores = {name: macro_f1(of.counts).mean() for name, of in evidence.study.students.items()}
    vote = macro_f1(confusion(evidence.study.test.gold, soft_vote(evidence.study.students["llm"].probabilities), 3))
    assert claim_in(evidence).estimate == pytest.approx((vote - scores["llm"]) / (scores["gold"] - scores["llm"]))


def test_the_claim_is_printed_with_its_share():
    evidence = world({"gold": 0.2, "llm": 1.5}, rows=2000)
    assert [case.annotator for case in cases(evidence.study)] == ["llm"]
    text = findings_text({"findings": claims_of(evidence.study, [ensembles(evidence)])["findings.json"]})
    assert "ensemble_closes_gap" in text
    assert "% [" in text


# what can't be told


def test_too_few_validation_rows_or_none_leave_out_what_learns_from_them():
    few, table = table_of(world({"gold": 0.5, "llm": 0.5}, validation_rows=19))
    assert set(table.index.get_level_values("way")) == {"mean student", "best student", "vote"}
    assert any("are left out for 2 of 2 ensembles, since they need 20 validation rows" in says for says in few.says)
    gold = drawn_gold(100, 2)
    unseen = {"gold": np.full((3, 30, 2), np.nan)}
    none, table = table_of(evidence_of(gold, {"gold": students(gold, 3, 2, 1.0, 3)}, classes=2,
                                       validation_gold=drawn_gold(30, 2), validation=unseen))  # fmt: skip
    assert set(table.index.get_level_values("way")) == {"mean student", "vote"}
    assert none.metrics["chosen"] == "gold"
    assert any(says.startswith("No validation row with gold was predicted by all students") for says in none.says)


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_few_seeds_have_what_can_be_told(runs, tmp_path):
    found, table = table_of(world({"gold": 0.8, "llm": 0.8}, runs=runs, rows=100))
    assert len(table) == 2 * 5
    assert found.claims["llm"]["ensemble_closes_gap"].finding == "not decided here"
    if runs == 1:
        assert found.says[0].startswith("With a single seed there is no vote over seeds")
        assert found.claims["llm"]["ensemble_closes_gap"].because == "It needs two seeds or more."
        assert found.tables["sizes"].empty
        assert table.loc[("gold", "vote"), "macro_f1"] == table.loc[("gold", "mean student"), "macro_f1"]
    assert json.dumps(found.metrics, allow_nan=False)
    found.pictures[""](tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_class_that_test_lacks_and_students_of_one_class():
    gold = np.repeat([0, 1], 50)
    constant = certain(np.zeros((3, 100), dtype=int), 3)
    found, table = table_of(evidence_of(gold, {"gold": students(gold, 3, 3, 0.5, 1), "llm": constant}, classes=3))
    assert table.loc[("llm", "vote"), "gain"] == pytest.approx(0)
    assert found.metrics["stability"]["llm"][0]["alpha"] is None
    assert json.dumps(found.metrics, allow_nan=False)
    every = ensembles(evidence_of(gold, {"gold": constant}, classes=3))
    assert any("can't be told: all students predict one class" in says for says in every.says)


# the distilled student


def test_the_distilled_student_stands_beside_the_vote_and_its_students(tmp_path):
    from dataclasses import replace

    evidence = world({"gold": 1.5})
    ids, gold = evidence.study.test.ids, evidence.study.test.gold
    vote = soft_vote(evidence.study.students["gold"].probabilities)
    own = np.where(np.arange(600) < 60, (vote + 1) % 3, vote)  # says something else in a tenth of the rows
    said = Run(ids[::-1], np.array(["test"] * 600, dtype=object), certain(own[::-1], 3))
    evidence = replace(evidence, distilled=said)
    found = ensembles(evidence)
    one = found.metrics["distilled"]
    scores = [float(macro_f1(confusion(gold, codes, 3))) for codes in (own, vote)]
    assert one["macro_f1"]["estimate"] == pytest.approx(scores[0], abs=1e-4)
    assert one["over_vote"]["estimate"] == pytest.approx(scores[0] - scores[1], abs=1e-4)
    assert one["over_vote"]["high"] < 0
    assert one["same"]["estimate"] == 0.9
    assert (one["ensemble"], one["cost"], one["instead_of"]) == ("gold", 1, 5)
    assert re.search(r"on 90\.0 \[\d+\.\d, \d+\.\d\] % of the test rows", found.says[-1])
    for name, output in outputs("ensembles", found).items():
        if name.endswith(".png"):
            output(tmp_path / name)
    few = evidence.on(np.arange(100))  # the run goes by ids
    assert ensembles(few).metrics["distilled"]["same"]["estimate"] == 0.4


def test_ways_and_metrics_are_those_of_the_docs(project):
    told = (project / "docs" / "explanations" / "ensembles.md").read_text()
    for name in (*TOGETHER, *METRICS, "mean student", "best student", "ensemble_closes_gap", "labelrisk.load"):
        assert name.replace("macro_f1", "macro-F1") in told


def test_nothing_that_is_given_is_changed():
    gold = drawn_gold(60, 3)
    logs = np.asfortranarray(log_probabilities(students(gold, 4, 3, 0.7, 1)).transpose(1, 0, 2)).transpose(1, 0, 2)
    for array in (logs, np.ascontiguousarray(logs), np.moveaxis(np.ascontiguousarray(np.moveaxis(logs, 1, 0)), 0, 1)):
        before = array.copy()
        best_penalty(array, gold, np.random.default_rng(0))
        Stacker(array, gold, 0.1).vote(array)
        assert (array == before).all()
