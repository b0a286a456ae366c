"""Measures of coders and annotators: hand-worked examples, and the reference libraries."""

import krippendorff
import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel
from scipy.stats import t as student
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support

from labelrisk.coders.accuracy import scores_against
from labelrisk.coders.agreement import agreement_of_coders
from labelrisk.coders.alternative_annotator_test import alignments, alternative_annotator_test, p_value
from labelrisk.statistics.agreement import TIE, kappa, majority

UNKNOWN = np.full(1000, np.nan)


def test_majority_and_ties():
    codes = np.array([[0, 0, 0, -1, 2], [0, 1, 1, -1, -1], [1, 1, 2, -1, -1]])
    assert majority(codes, 3).tolist() == [0, 1, TIE, -1, 2]


def test_kappa_by_hand_and_silence_as_disagreement():
    # 6 of 10 equal; chance: .5 * .7 + .5 * .3 = .5; kappa = (.6 - .5) / .5
    one = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    other = np.array([0, 0, 0, 0, 1, 1, 1, 0, 0, 0])
    assert kappa(one, other) == pytest.approx(0.2)
    assert kappa(one, np.full(10, -1)) == 0
    assert np.isnan(kappa(np.zeros(4, int), np.zeros(4, int)))
    assert np.isnan(kappa(np.empty(0, int), np.empty(0, int)))


def test_agreement_of_coders_by_hand():
    #          all   2:1   pair  pair  alone none
    codes = np.array([[0, 0, 1, -1, 1, -1], [0, 0, 1, 0, -1, -1], [0, 1, -1, 1, -1, -1]])
    found = agreement_of_coders(codes, ["a", "b", "c"], 2)
    assert found["rows"] == 4
    assert found["all_agree"] == 0.5  # rows 1 and 3
    assert found["agreement"] == 0.625  # pairs: 3 of 3, 1 of 3, 1 of 1, 0 of 1
    assert [pair["rows"] for pair in found["pairs"]] == [3, 2, 3]
    assert [pair["agreement"] for pair in found["pairs"]] == [1, 0.5, pytest.approx(0.3333)]
    theirs = krippendorff.alpha(np.where(codes < 0, np.nan, codes), level_of_measurement="nominal")
    assert found["alpha"] == pytest.approx(theirs, abs=5e-5)


def test_one_coder_agrees_with_nobody():
    found = agreement_of_coders(np.array([[0, 1]]), ["a"], 2)
    assert found == {"rows": 0, "all_agree": None, "agreement": None, "alpha": None, "pairs": []}


def test_scores_equal_scikit_learn_and_scipy():
    generator = np.random.default_rng(0)
    human = generator.integers(0, 3, 80)
    predicted = np.where(generator.random(80) < 0.7, human, generator.integers(-1, 3, 80))
    found = scores_against(human, predicted, UNKNOWN[:80], ["a", "b", "c"], 0)
    right = int((human == predicted).sum())
    wilson = binomtest(right, 80).proportion_ci(0.95, "wilson")
    assert found["accuracy"] == pytest.approx(right / 80, abs=5e-5)
    assert [found["accuracy_low"], found["accuracy_high"]] == pytest.approx([wilson.low, wilson.high], abs=5e-5)
    assert found["coverage"] == pytest.approx((predicted >= 0).mean(), abs=5e-5)
    assert found["kappa"] == pytest.approx(cohen_kappa_score(human, predicted), abs=5e-5)
    f1 = f1_score(human, predicted, labels=[0, 1, 2], average="macro")
    assert found["macro_f1"] == pytest.approx(f1, abs=5e-5)
    assert found["macro_f1_low"] < f1 < found["macro_f1_high"]
    theirs = precision_recall_fscore_support(human, predicted, labels=[0, 1, 2])
    for code, of in enumerate(found["classes"].values()):
        numbers = [of["precision"], of["recall"], of["f1"], of["rows"]]
        assert numbers == pytest.approx([each[code] for each in theirs], abs=5e-5)
        assert of["f1_low"] < of["f1"] < of["f1_high"]


def test_wilson_by_hand():
    # 4 of 4: low = n / (n + z^2) = 4 / 7.8415
    found = scores_against(np.zeros(4, int), np.zeros(4, int), UNKNOWN[:4], ["a", "b"], 0)
    assert [found["accuracy"], found["accuracy_low"], found["accuracy_high"]] == [1, 0.5101, 1]
    assert found["classes"]["b"]["precision"] is None
    assert found["classes"]["b"]["f1"] is None


def test_the_weighted_accuracy_is_hajeks():
    human, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, -1])
    probabilities = np.array([0.1, 0.5, 0.25, 1.0])  # weights 10, 2, 4, 1: right are 10 and 4 of 17
    found = scores_against(human, predicted, probabilities, ["a", "b"], 0)
    assert found["accuracy"] == 0.5
    assert found["weighted_accuracy"] == pytest.approx(14 / 17, abs=5e-5)
    assert found["coverage"] == 0.75
    for without in (np.full(4, 0.3), np.array([0.1, np.nan, 0.2, 0.3])):
        assert scores_against(human, predicted, without, ["a", "b"], 0)["weighted_accuracy"] is None


def test_the_weighted_accuracy_repairs_what_the_design_bends():
    """Uncertain rows are drawn more often and are wrong more often: the drawn rows look worse than all rows."""
    from labelrisk.coders.sampling_designs import draw

    generator = np.random.default_rng(0)
    entropies = generator.uniform(0, np.log(2), 600)
    right = generator.random(600) > entropies / np.log(2) * 0.8
    plain, weighted = [], []
    for _ in range(300):
        drawn, probabilities = draw("uncertainty", 100, [0] * 600, entropies, 2, generator)
        plain.append(right[drawn].mean())
        weighted.append(np.average(right[drawn], weights=1 / probabilities[drawn]))
    assert np.mean(plain) < right.mean() - 0.08
    assert np.mean(weighted) == pytest.approx(right.mean(), abs=0.01)


def test_scores_of_no_rows_are_undefined():
    found = scores_against(np.empty(0, int), np.empty(0, int), np.empty(0), ["a", "b"], 0)
    assert (found["rows"], found["accuracy"], found["macro_f1"], found["coverage"]) == (0, None, None, None)


def test_alignments_by_hand():
    annotator, coder = np.array([0, 1, -1, 0, 1]), np.array([0, 0, 0, -1, 1])
    others = np.array([[0, 1, 0, 0, -1], [1, 1, 0, 0, -1]])
    by_annotator, by_coder = alignments(annotator, coder, others)  # the coder lacks row 4; nobody else has row 5
    assert by_annotator.tolist() == [0.5, 1, 0]
    assert by_coder.tolist() == [0.5, 0, 1]


def test_p_of_the_t_test_is_that_of_pairs():
    generator = np.random.default_rng(0)
    wins, losses = generator.integers(0, 2, (2, 50)).astype(float)
    theirs = ttest_rel(losses - 0.2, wins, alternative="less").pvalue
    assert p_value(losses - wins, 0.2) == (pytest.approx(theirs), "t")


def test_p_of_few_rows_is_wilcoxons_and_without_variance_it_is_sure():
    # 5 differences below epsilon, none above: only the smallest of 2^5 rank sums
    assert p_value(np.array([0.0, 0, 0, 0, -1]), 0.2) == (pytest.approx(1 / 32, abs=0.02), "wilcoxon")
    assert p_value(np.zeros(40), 0.2) == (0.0, "t")
    assert p_value(np.ones(40), 0.2) == (1.0, "t")
    assert p_value(np.zeros(5), 0.0) == (1.0, "wilcoxon")


def test_the_alternative_annotator_test_by_hand():
    """40 rows, 3 coders.  A and B agree on all rows, C is alone on 20; the annotator says what A and B say."""
    a = np.tile([0, 1], 20)
    c = np.where(np.arange(40) < 20, 1 - a, a)
    found = alternative_annotator_test(a, np.array([a, a, c]), ["a", "b", "c"], 0.2)
    # against a: both align alike on all rows (d = 0 < epsilon); against c: the annotator wins on 20 rows, ties on 20
    assert found["winning_rate"] == 1
    assert found["passes"]
    assert found["advantage_probability"] == 1
    assert [found["coders"][name]["coder"] for name in "abc"] == [1, 1, 0.5]
    # the annotator is wrong where all agree: ties with a and b on 20 rows, loses 20; beats c on 20 rows, loses 20
    found = alternative_annotator_test(1 - c, np.array([a, a, c]), ["a", "b", "c"], 0.2)
    assert [found["coders"][name]["annotator"] for name in "abc"] == [0.5, 0.5, 0.5]
    assert [found["coders"][name]["coder"] for name in "abc"] == [1, 1, 0.5]
    # c: mean 0, sd sqrt(40 / 39), so t = -0.2 / sqrt(1 / 39) with 39 degrees of freedom
    assert found["coders"]["c"]["p"] == pytest.approx(student.cdf(-0.2 * np.sqrt(39), 39), abs=5e-5)
    assert (found["winning_rate"], found["passes"], found["advantage_probability"]) == (0, False, 0.5)


def test_p_is_corrected_after_benjamini_and_yekutieli():
    """p_(i) * m * (1 + 1/2 + 1/3) / i, from the largest down."""
    generator = np.random.default_rng(4)
    truth = generator.integers(0, 3, 60)
    coders = np.where(generator.random((3, 60)) < 0.75, truth, generator.integers(0, 3, (3, 60)))
    annotator = np.where(generator.random(60) < 0.8, truth, generator.integers(0, 3, 60))
    found = alternative_annotator_test(annotator, coders, ["a", "b", "c"], 0.1)["coders"].values()
    p = sorted(of["p"] for of in found)
    by = [min(1, p[place] * 3 * (1 + 1 / 2 + 1 / 3) / (place + 1)) for place in range(3)]
    expected = [min(by[place:]) for place in range(3)]
    assert sorted(of["p_adjusted"] for of in found) == pytest.approx(expected, abs=1e-3)
    assert all(of["rejected"] == (of["p_adjusted"] <= 0.05) for of in found)


def test_an_annotator_that_is_silent_does_not_pass():
    truth = np.tile([0, 1], 20)
    found = alternative_annotator_test(np.full(40, -1), np.array([truth] * 3), ["a", "b", "c"], 0.2)
    assert (found["winning_rate"], found["advantage_probability"]) == (0, 0)


def test_two_coders_are_too_few():
    found = alternative_annotator_test(np.zeros(40, int), np.zeros((2, 40), int), ["a", "b"], 0.2)
    assert "needs 3 coders or more" in found["reason"]
    assert "winning_rate" not in found
