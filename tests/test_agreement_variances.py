"""Intervals of agreement, against worked examples, the krippendorff package and least squares."""

import itertools

import krippendorff
import numpy as np
import pytest

from labelrisk.statistics.agreement import alpha_influences
from labelrisk.statistics.agreement_variances import AgreementVariances, disagreements, spread_of_pairs

STATISTICS = ("alpha", "p_uc")


def draw(seed, runs=5, rows=80, steadiness=0.7, classes=3):
    """Runs (R, N) that each give a row its class with some probability, and else any."""
    generator = np.random.default_rng(seed)
    truth = generator.permutation(np.arange(rows) % classes)
    kept = generator.random((runs, rows)) < steadiness
    return np.where(kept, truth, generator.integers(0, classes, (runs, rows)))


def package_alpha(runs):
    """Nominal alpha of the krippendorff package."""
    return krippendorff.alpha(runs, level_of_measurement="nominal")


# rows


@pytest.mark.parametrize("seed", range(3))
def test_influences_are_what_deleting_a_row_does(seed):
    runs = draw(seed, rows=30)
    without = np.array([package_alpha(np.delete(runs, row, axis=1)) for row in range(30)])
    deleted = 29 * (package_alpha(runs) - without)
    assert alpha_influences(runs, 3) == pytest.approx(deleted - deleted.mean())


def test_a_row_that_holds_all_variation_has_no_influence():
    runs = np.array([[0, 0, 0, 1], [0, 0, 0, 0]])
    assert np.isfinite(alpha_influences(runs, 2)).all()


def test_two_runs_are_about_other_rows_alone():
    # 6 of 10 rows unchanged: s^2 = .6 x .4 x 10 / 9, so that the error is sqrt(.24 / 9)
    runs = {"llm": np.array([[0] * 10, [0] * 6 + [1] * 4])}
    found = AgreementVariances(runs, 2, "p_uc").of("llm", 0.95)
    assert found.estimate == pytest.approx(0.6)
    assert found.error == pytest.approx(np.sqrt(0.24 / 9))
    assert found.degrees == pytest.approx(9)
    # t(9) = 2.2622; symmetric for the logarithm of 1 - .6
    factor = np.exp(2.2621571628 * found.error / 0.4)
    assert (found.low, found.high) == pytest.approx((1 - 0.4 * factor, 1 - 0.4 / factor))


def test_a_difference_of_p_uc_is_paired():
    runs = {"llm": draw(1, runs=2), "gold": draw(2, runs=2)}
    found = AgreementVariances(runs, 3, "p_uc").difference("llm", "gold", 0.95)
    same = {name: (one[0] == one[1]).astype(float) for name, one in runs.items()}
    differences = same["llm"] - same["gold"]
    assert found.estimate == pytest.approx(differences.mean())
    assert found.error == pytest.approx(differences.std(ddof=1) / np.sqrt(80))


# seeds


def test_disagreements_of_pairs_by_hand():
    # Rows that disagree: pairs 01 and 02 one of four each, 12 two of four, so D_o = 1/3.  Shares 1/2: D_e = 1/2, and
    # the influence of a pair is its share over D_o plus (1/2 + 1/2) / D_e.
    runs = np.array([[0, 0, 1, 1], [0, 0, 1, 0], [0, 1, 1, 1]])
    found = disagreements(runs, 2)
    assert found.of_pairs[0, 1] == pytest.approx(0.25 * 3 + 2)
    assert found.of_pairs[1, 2] == pytest.approx(0.5 * 3 + 2)
    assert found.of_runs == pytest.approx([2.75, 3.125, 3.125])
    # pairs .75, .75, 1.5 around 1: 1/16 + 1/16 + 1/4, all of it between runs, as 3 pairs have 3 runs
    spread = spread_of_pairs(found)
    assert (spread.main, spread.rest) == pytest.approx((0.375, 0))
    assert (spread.main_degrees, spread.rest_degrees) == (2, 0)


def test_the_spread_of_pairs_is_that_of_least_squares():
    runs = draw(3, runs=6)
    found, pairs = disagreements(runs, 3), list(itertools.combinations(range(6), 2))
    shares = np.bincount(runs.ravel()) / runs.size
    observed = np.mean([(runs[r] != runs[s]).mean() for r, s in pairs])
    values = np.array([(runs[r] != runs[s]) / observed for r, s in pairs])
    values += np.array([shares[runs[r]] + shares[runs[s]] for r, s in pairs]) / (1 - (shares**2).sum())
    means = values.mean(axis=1)
    design = np.array([[1.0, *(run in pair for run in range(6))] for pair in pairs])
    rest = ((means - design @ np.linalg.lstsq(design, means, rcond=None)[0]) ** 2).sum()
    spread = spread_of_pairs(found)
    assert spread.rest * 4 == pytest.approx(rest)
    assert spread.main * 4 == pytest.approx(((means - means.mean()) ** 2).sum() - rest)
    # chance: what the variance over rows lets the pairs' means differ by
    centred = values - values.mean(axis=0) - means[:, None] + means.mean()
    assert found.chance == pytest.approx((centred**2).sum() / (80 * 79))


def test_chance_alone_is_all_that_pairs_spread_by():
    spreads = [spread_of_pairs(disagreements(draw(seed, rows=200), 3)) for seed in range(400)]
    assert np.mean([one.main + one.rest for one in spreads]) == pytest.approx(
        np.mean([one.chance for one in spreads]), rel=0.08
    )


@pytest.mark.parametrize("statistic", STATISTICS)
def test_chance_alone_is_not_counted_twice(statistic):
    # The error is what the estimates spread by and a little more, as an excess is never negative; with the chance of
    # the pairs in it twice it would be 1.7 times as much.
    studies = [
        AgreementVariances({name: draw((seed, of), rows=300) for of, name in enumerate("abcd")}, 3, statistic)
        for seed in range(100)
    ]
    found = [[one.of(name, 0.95) for name in "abcd"] for one in studies]
    true = np.mean([np.std([one[of].estimate for one in found], ddof=1) for of in range(4)])
    assert 0.95 * true < np.median([one.error for study in found for one in study]) < 1.3 * true


@pytest.mark.parametrize("statistic", STATISTICS)
def test_seeds_that_matter_widen_an_interval(statistic):
    # Runs cross from class 0 to class 1 in another row each, far apart or close together.
    places = {"close": [490, 495, 500, 505, 510], "apart": [250, 330, 500, 620, 750]}
    runs = {name: np.arange(1000) > np.array(place)[:, None] for name, place in places.items()}
    variances = AgreementVariances({name: one.astype(int) for name, one in runs.items()}, 2, statistic)
    assert variances.of("apart", 0.95).error > 5 * variances.of("close", 0.95).error
    alone = np.std((runs["apart"] == runs["apart"][0]).all(axis=0)) / np.sqrt(999)
    assert variances.of("apart", 0.95).error > 2 * alone


# what must not matter


@pytest.mark.parametrize("statistic", STATISTICS)
def test_names_and_orders_change_nothing(statistic):
    runs = {"llm": draw(5), "gold": draw(6, runs=4, steadiness=0.8)}
    generator = np.random.default_rng(0)
    rows, classes = generator.permutation(80), np.array([2, 0, 1])
    renamed = {name: classes[one][:, rows][generator.permutation(len(one))] for name, one in runs.items()}
    one, other = (AgreementVariances(of, 3, statistic) for of in (runs, renamed))
    assert other.difference("llm", "gold", 0.95) == pytest.approx(one.difference("llm", "gold", 0.95))
    assert other.of("llm", 0.95) == pytest.approx(one.of("llm", 0.95))
    turned = one.difference("gold", "llm", 0.95)
    assert (turned.high, turned.low) == pytest.approx([-bound for bound in one.difference("llm", "gold", 0.95)[1:3]])


@pytest.mark.parametrize("statistic", STATISTICS)
def test_identical_runs_agree_without_width(statistic):
    same = np.tile(np.arange(60) % 3, (4, 1))
    variances = AgreementVariances({"a": same, "b": same, "c": draw(7, runs=4, rows=60)}, 3, statistic)
    assert variances.of("a", 0.95)[:4] == (1, 1, 1, 0)
    assert variances.difference("a", "b", 0.95)[:4] == (0, 0, 0, 0)
    assert variances.difference("c", "a", 0.95).high < 0


@pytest.mark.parametrize("statistic", STATISTICS)
def test_sources_of_the_same_labels_do_not_differ(statistic):
    variances = AgreementVariances({"a": draw(8), "b": draw(8), "c": draw(9)}, 3, statistic)
    found = variances.difference("a", "b", 0.95)
    assert found.estimate == 0
    assert found.low <= 0 <= found.high
    assert variances.difference("a", "a", 0.95)[:4] == (0, 0, 0, 0)


def test_one_class_alone_has_no_alpha():
    found = AgreementVariances({"a": np.zeros((3, 20), dtype=int)}, 2, "alpha").of("a", 0.95)
    assert np.isnan(found[:4]).all()


def test_single_runs_and_missing_labels_have_no_interval():
    for runs in (np.zeros((1, 5), dtype=int), np.array([[0, 1], [0, -1]])):
        with pytest.raises(ValueError, match="two runs or more"):
            AgreementVariances({"a": runs}, 2, "alpha")
