"""The reference that closed forms are held against must itself be right."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from two_way_bootstrap import interval, resampled_macro_f1, run_macro_f1, seed_means

from labelrisk.statistics.bootstrap import row_weights


def test_resampled_macro_f1_equals_scoring_the_drawn_rows():
    generator = np.random.default_rng(0)
    gold, runs = generator.integers(0, 3, 40), generator.integers(-1, 3, (2, 40))
    weights = row_weights(40, 3, generator)
    assert weights.sum(axis=1).tolist() == [40, 40, 40]
    scores = resampled_macro_f1(gold, runs, 3, weights)
    for drawn, row in zip(weights.astype(int), scores, strict=True):
        rows = np.repeat(np.arange(40), drawn)
        in_gold = sorted(set(gold[rows]))
        for run, score in zip(runs, row, strict=True):
            expected = f1_score(gold[rows], run[rows], labels=in_gold, average="macro", zero_division=0)
            assert score == pytest.approx(expected)
    assert resampled_macro_f1(gold, runs, 3, np.ones((1, 40), np.float32))[0] == pytest.approx(
        run_macro_f1(gold, runs, 3)
    )


def test_seed_means_have_the_variance_of_a_mean_of_seeds():
    seeds = np.array([0.70, 0.72, 0.75, 0.71, 0.77])
    means = seed_means(np.tile(seeds, (50_000, 1)), np.random.default_rng(0))
    assert means.mean() == pytest.approx(seeds.mean(), abs=1e-3)
    assert means.var() == pytest.approx(seeds.var(ddof=1) / 5, rel=0.03)


def test_one_seed_is_kept():
    scores = np.array([[0.5], [0.6]])
    assert seed_means(scores, np.random.default_rng(0)).tolist() == [0.5, 0.6]


def test_interval_is_a_percentile_interval():
    assert interval(np.linspace(0, 1, 1001), 0.9) == pytest.approx((0.05, 0.95))
