"""P-values of differences, Holm's adjustment and what they decide, against scipy, statsmodels and worked examples."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from labelrisk.statistics.contrasts import decide, holm, p_above, p_below
from labelrisk.statistics.intervals import Component, Interval, rows_interval, t_interval


def known(estimate, error=0.01):
    """The interval of an estimate whose standard error is known."""
    return t_interval(estimate, [Component(error**2, 0.0)], 0.95)


def decisions(*intervals, margin=0.02, confidence=0.95):
    """What is decided about each."""
    return [one.decision for one in decide(intervals, margin, confidence)]


# one-sided p-values


@pytest.mark.parametrize("bound", [-0.3, 0.0, 0.1])
def test_p_values_are_those_of_the_t_test(bound):
    values = np.random.default_rng(0).normal(0.1, 1, 12)
    interval = rows_interval(values.mean(), values - values.mean(), 0.95)
    assert p_below(interval, bound) == pytest.approx(stats.ttest_1samp(values, bound, alternative="less").pvalue)
    assert p_above(interval, bound) == pytest.approx(stats.ttest_1samp(values, bound, alternative="greater").pvalue)


def test_at_the_ends_of_the_interval_the_p_value_is_half_of_what_it_leaves_out():
    interval = t_interval(0.4, [Component.chi_square(0.01, 7)], 0.9)
    assert p_below(interval, interval.high) == pytest.approx(0.05)
    assert p_above(interval, interval.low) == pytest.approx(0.05)


def test_what_does_not_vary_is_certain():
    interval = known(-0.02, error=0.0)
    assert (p_below(interval, 0.0), p_above(interval, 0.0)) == (0, 1)
    assert (p_below(interval, -0.03), p_above(interval, -0.03)) == (1, 0)
    assert (p_below(interval, -0.02), p_above(interval, -0.02)) == (1, 1)  # neither below nor above itself
    assert p_below(known(0.1 + 0.2 - 0.3, error=0.0), 0.0) == p_above(known(0.1 + 0.2 - 0.3, error=0.0), 0.0) == 1


# Holm


def test_holm_by_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1 = .02 .03 .06 .04, which may not fall: .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.9]).tolist() == [1, 1]
    assert holm([0.3]).tolist() == [0.3]
    assert holm([]).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_statsmodels(seed):
    generator = np.random.default_rng(seed)
    p = np.round(generator.random(9) ** 3, 2)  # rounded: some are alike
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


# decisions


def test_each_decision():
    assert decisions(known(0.06)) == ["better"]
    assert decisions(known(-0.06)) == ["worse"]
    assert decisions(known(0.001)) == ["equivalent"]
    assert decisions(known(-0.015)) == ["not decided"]
    assert decisions() == []


def test_within_the_margin_is_equivalent_also_when_it_surely_is_not_zero():
    found = decide([known(-0.01, error=0.002)], 0.02, 0.95)[0]
    assert found.p_different < 1e-5
    assert found.decision == "equivalent"
    assert decisions(known(-0.01, error=0.002), margin=0.005) == ["worse"]


def test_equivalence_equals_statsmodels_two_one_sided_tests():
    values = np.random.default_rng(1).normal(0.02, 0.3, 40)
    interval = rows_interval(values.mean(), values - values.mean(), 0.95)
    found = decide([interval], 0.1, 0.95)[0]
    assert found.p_equivalent == pytest.approx(DescrStatsW(values).ttost_mean(-0.1, 0.1)[0])
    assert found.p_different == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert (found.estimate, found.low, found.high) == interval[:3]


def test_alone_a_difference_is_decided_where_its_interval_excludes_zero():
    for estimate in (0.0195, 0.0197):  # 1.96 standard errors
        interval = known(estimate)
        assert (decisions(interval, margin=0.001) == ["better"]) == (interval.low > 0)


def test_many_differences_together_need_more():
    # p = .029: enough alone, not as one of two that are both no smaller; with a very small one beside it, enough
    border = known(-0.0218)
    assert decisions(border, margin=0.001) == ["worse"]
    assert decisions(border, border, margin=0.001) == ["not decided"] * 2
    assert decisions(border, known(-0.2), margin=0.001) == ["worse", "worse"]
    # the equivalence of several, too: p = .039
    border = known(0.0, error=0.01134)
    assert decisions(border) == ["equivalent"]
    assert decisions(border, known(-0.2)) == ["not decided", "worse"]


def test_the_confidence_is_the_level():
    border = known(-0.0218)
    assert decisions(border, margin=0.001, confidence=0.99) == ["not decided"]


def test_sources_that_never_differ_are_equivalent():
    found = decide([known(0.0, error=0.0)], 0.02, 0.95)[0]
    assert found == (0, 0, 0, 1, 0, "equivalent")
    assert decisions(known(0.0, error=0.0), margin=0.0) == ["not decided"]
    assert decisions(known(0.03, error=0.0)) == ["better"]


def test_false_decisions_are_as_rare_as_the_level_in_a_family():
    generator = np.random.default_rng(2)
    false = 0
    for _ in range(400):
        estimates = 0.01 * generator.standard_normal(6)
        family = [known(estimate) for estimate in estimates]
        false += any(decision in ("better", "worse") for decision in decisions(*family, margin=0.001))
    assert 0.02 < false / 400 < 0.08


def test_an_interval_has_its_degrees():
    assert Interval._fields == ("estimate", "low", "high", "error", "degrees")
    assert known(0.1).degrees == np.inf
