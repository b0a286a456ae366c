import numpy as np
import pytest
from sklearn.metrics import f1_score

from labelrisk.comparison.risk import compare, verdict
from labelrisk.statistics.bootstrap import interval, resampled_macro_f1, row_weights, run_macro_f1, seed_means

HOW = {"reference": "gold", "margin": 0.02, "confidence": 0.95, "resamples": 400, "seed": 0}


def students(generator, gold, error, runs=5, classes=3):
    """Runs that are wrong on a share `error` of the rows; most of the wrong rows are the same in all runs."""
    hard = generator.random(len(gold)) < 0.9 * error
    wrong = hard | (generator.random((runs, len(gold))) < 0.1 * error)
    return np.where(wrong, (gold + 1) % classes, gold)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.01, 0.05, "safe"),
        (-0.019, -0.001, "safe"),  # worse for certain, but by less than the margin
        (-0.03, 0.03, "unclear"),
        (-0.02, 0.0, "unclear"),
        (-0.05, -0.02, "unclear"),
        (-0.05, -0.021, "risky"),
    ],
)
def test_verdict_is_non_inferiority(low, high, expected):
    assert verdict(low, high, margin=0.02) == expected


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


def test_a_source_identical_to_the_reference_is_safe():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 500)
    runs = students(generator, gold, 0.1)
    result = compare(gold, {"gold": runs, "same": runs.copy()}, 3, **HOW)
    assert result["same"].difference == 0
    assert result["same"].low < 0 < result["same"].high
    assert result["same"].verdict == "safe"
    assert result["gold"] == (0, 0, 0, "reference")


def test_the_same_predictions_in_every_seed_leave_no_doubt():
    gold = np.repeat([0, 1, 2], 30)
    runs = np.tile(np.roll(gold, 5), (3, 1))
    assert compare(gold, {"gold": runs, "same": runs}, 3, **HOW)["same"] == (0, 0, 0, "safe")


def test_a_clearly_worse_source_is_risky_and_a_clearly_better_one_safe():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 500)
    sources = {"worse": students(generator, gold, 0.3), "gold": students(generator, gold, 0.1)}
    sources["better"] = np.tile(gold, (5, 1))
    result = compare(gold, sources, 3, **HOW)
    assert list(result) == ["worse", "gold", "better"]
    assert result["worse"].verdict == "risky"
    assert result["worse"].low < result["worse"].difference < result["worse"].high < -0.02
    assert result["better"].verdict == "safe"
    assert result["better"].low > 0


def test_few_rows_are_unclear():
    gold = np.repeat([0, 1, 2], 10)
    two_wrong, three_wrong = gold.copy(), gold.copy()
    two_wrong[[0, 10]] = 2
    three_wrong[[1, 2, 21]] = 1
    sources = {"gold": np.tile(two_wrong, (5, 1)), "other": np.tile(three_wrong, (5, 1))}
    assert compare(gold, sources, 3, **HOW)["other"].verdict == "unclear"


def test_same_seed_same_numbers_whatever_else_is_compared():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 100)
    sources = {name: students(generator, gold, 0.2) for name in ("gold", "one", "two")}
    both = compare(gold, sources, 3, **HOW)
    assert both == compare(gold, sources, 3, **HOW)
    assert both["two"] == compare(gold, {name: sources[name] for name in ("two", "gold")}, 3, **HOW)["two"]
    assert both["two"] != compare(gold, sources, 3, **HOW | {"seed": 1})["two"]


def test_interval_covers_the_truth_about_as_often_as_it_says():
    # Each seed is wrong at its own rate around 20 % (reference) or 30 %, mostly on the same difficult rows; the truth
    # is the difference on many rows and seeds.
    def draw(generator, rows, runs):
        gold = generator.integers(0, 3, rows)
        difficulty = generator.random(rows)
        sources = {}
        for name, rate in (("gold", 0.2), ("llm", 0.3)):
            own = rate + 0.03 * generator.standard_normal((runs, 1))
            wrong = 0.7 * difficulty + 0.3 * generator.random((runs, rows)) > 1 - own
            sources[name] = np.where(wrong, (gold + 1) % 3, gold)
        return gold, sources

    gold, large = draw(np.random.default_rng(99), 20_000, 100)
    truth = run_macro_f1(gold, large["llm"], 3).mean() - run_macro_f1(gold, large["gold"], 3).mean()
    held = 0
    for repeat in range(150):
        gold, sources = draw(np.random.default_rng(repeat), 200, 5)
        bounds = compare(gold, sources, 3, **HOW | {"resamples": 200, "seed": repeat})["llm"]
        held += bounds.low <= truth <= bounds.high
    assert 0.88 <= held / 150 <= 0.995
