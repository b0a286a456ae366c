"""The difference of two sources: known answers, and a bootstrap as a reference."""

import numpy as np
import pytest
from two_way_bootstrap import bootstrapped_difference, interval, run_macro_f1

from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import confusion, macro_f1


def compared(gold, sources, classes=3):
    """Each source's macro-F1 minus that of gold, with its interval."""
    counts = {name: np.stack([confusion(gold, run, classes) for run in runs]) for name, runs in sources.items()}
    found = RunVariances(gold, sources, counts, macro_f1)
    return {name: found.difference(name, "gold", 0.95) for name in sources if name != "gold"}


def students(generator, gold, error, runs=5, classes=3):
    """Runs that are wrong on a share `error` of the rows; most of the wrong rows are the same in all runs."""
    hard = generator.random(len(gold)) < 0.9 * error
    wrong = hard | (generator.random((runs, len(gold))) < 0.1 * error)
    return np.where(wrong, (gold + 1) % classes, gold)


def test_a_source_identical_to_the_reference_loses_nothing():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 500)
    runs = students(generator, gold, 0.1)
    result = compared(gold, {"gold": runs, "same": runs.copy()})
    assert result["same"].estimate == 0
    assert result["same"].low < 0 < result["same"].high
    assert result["same"].low > -0.02


def test_the_same_predictions_in_every_seed_leave_no_doubt():
    gold = np.repeat([0, 1, 2], 30)
    runs = np.tile(np.roll(gold, 5), (3, 1))
    found = compared(gold, {"gold": runs, "same": runs})["same"]
    assert found[:3] == pytest.approx((0, 0, 0), abs=1e-8)


def test_clearly_worse_and_clearly_better_sources():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 500)
    sources = {"worse": students(generator, gold, 0.3), "gold": students(generator, gold, 0.1)}
    sources["better"] = np.tile(gold, (5, 1))
    result = compared(gold, sources)
    assert result["worse"].low < result["worse"].estimate < result["worse"].high < -0.02
    assert result["better"].low > 0


def test_few_rows_are_unclear():
    gold = np.repeat([0, 1, 2], 10)
    two_wrong, three_wrong = gold.copy(), gold.copy()
    two_wrong[[0, 10]] = 2
    three_wrong[[1, 2, 21]] = 1
    sources = {"gold": np.tile(two_wrong, (5, 1)), "other": np.tile(three_wrong, (5, 1))}
    found = compared(gold, sources)["other"]
    assert found.low < -0.02 < found.high


def test_the_order_of_sources_changes_nothing():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 100)
    sources = {name: students(generator, gold, 0.2) for name in ("gold", "one", "two")}
    found = compared(gold, sources)
    other = compared(gold, {name: sources[name] for name in ("two", "gold", "one")})
    assert all(other[name][:3] == pytest.approx(found[name][:3]) for name in ("one", "two"))


def test_the_bootstrap_finds_about_the_same_interval():
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 3, 600)
    sources = {"gold": students(generator, gold, 0.2), "llm": students(generator, gold, 0.25)}
    found = compared(gold, sources)["llm"]
    low, high = interval(bootstrapped_difference(gold, sources["gold"], sources["llm"], 3, 2000, 0), 0.95)
    # the bootstrap counts chance per row and run more than once: it is wider, here by some percent
    assert found.low == pytest.approx(low, abs=0.008)
    assert found.high == pytest.approx(high, abs=0.008)
    assert found.high - found.low < high - low


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
    for repeat in range(400):
        gold, sources = draw(np.random.default_rng(repeat), 200, 5)
        bounds = compared(gold, sources)["llm"]
        held += bounds.low <= truth <= bounds.high
    assert 0.92 <= held / 400 <= 0.98
