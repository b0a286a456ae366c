import krippendorff
import numpy as np
import pytest

from labelrisk.statistics.agreement import krippendorff_alpha, unchanged


def test_krippendorffs_own_example_of_two_raters():
    # Krippendorff (2011), section A: o_00 = 10, o_01 = o_10 = 4, o_11 = 2, so alpha = 1 - 19 o_01 / (n_0 n_1).
    meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(np.array([meg, owen]), 2) == pytest.approx(1 - 19 * 4 / (14 * 6))
    assert krippendorff_alpha(np.array([meg, owen]), 2) == pytest.approx(0.095, abs=5e-4)  # as printed there


def test_krippendorffs_own_example_with_missing_values():
    # Krippendorff (2011), section C: four raters, twelve items, nominal alpha 0.743.
    raters = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    runs = np.array(raters) - 1  # 0 is a missing value there, -1 here
    assert krippendorff_alpha(runs, 5) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_krippendorff_package(seed):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 4, 50)
    runs = np.where(generator.random((6, 50)) < 0.6, truth, generator.integers(-1, 4, (6, 50)))
    theirs = krippendorff.alpha(np.where(runs < 0, np.nan, runs), level_of_measurement="nominal")
    assert krippendorff_alpha(runs, 4) == pytest.approx(theirs)


def test_alpha_of_agreement_and_of_chance():
    runs = np.tile(np.array([0, 1, 2, 1]), (5, 1))
    assert krippendorff_alpha(runs, 3) == 1
    chance = np.random.default_rng(0).integers(0, 3, (5, 5000))
    assert krippendorff_alpha(chance, 3) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("runs", [np.array([[0, 1, 1]]), np.zeros((5, 4), dtype=int), np.empty((3, 0), dtype=int)])
def test_alpha_is_undefined_without_variation_or_pairs(runs):
    assert np.isnan(krippendorff_alpha(runs, 2))


def test_unchanged_counts_items_with_one_prediction():
    runs = np.array([[0, 1, 1, -1], [0, 1, 0, -1], [0, 1, 1, -1]])
    assert unchanged(runs) == 0.5
    assert unchanged(runs[:, :2]) == 1
    assert np.isnan(unchanged(runs[:1]))
