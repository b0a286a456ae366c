"""Intervals from variance components, against worked examples, scipy and deletion row by row."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import matthews_corrcoef

from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Component, excess, rows_interval, t_interval
from labelrisk.statistics.metrics import f1_of, mcc, recall_of
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import accuracy, confusion, macro_f1

METRICS = {"accuracy": accuracy, "macro_f1": macro_f1, "mcc": mcc, "f1": f1_of(2), "recall": recall_of(1)}


def tables(gold, runs, classes=3):
    """Confusion counts of each run."""
    return np.stack([confusion(gold, run, classes) for run in runs])


def variances(gold, sources, metric, classes=3):
    """RunVariances of sources, by name."""
    return RunVariances(gold, sources, {name: tables(gold, runs, classes) for name, runs in sources.items()}, metric)


def draw(seed, rows=90, runs=4, sources=("gold", "llm"), classes=3):
    """Gold and the predictions of sources that are right on some 7 of 10 rows, with labels missing here and there."""
    generator = np.random.default_rng(seed)
    gold = generator.permutation(np.arange(rows) % classes)
    found = {}
    for name in sources:
        wrong = generator.random((runs, rows)) + 0.5 * generator.random(rows) > 1
        found[name] = np.where(wrong, generator.integers(-1, classes, (runs, rows)), gold)
    return gold, found


# t and Satterthwaite


def test_satterthwaite_by_hand():
    # v = 4 + 1 = 5; df = 25 / (16 / 8 + 1 / 2) = 10; t(10, .975) = 2.2281
    found = t_interval(1.0, [Component.chi_square(4.0, 8), Component.chi_square(1.0, 2)], 0.95)
    assert found.error == pytest.approx(5**0.5)
    assert found.degrees == pytest.approx(10)
    assert found.high - 1.0 == pytest.approx(2.2281388520 * 5**0.5)
    assert found.low == pytest.approx(2.0 - found.high)


def test_welch_is_satterthwaites_special_case():
    one, other = np.array([0.70, 0.74, 0.71, 0.69, 0.75]), np.array([0.60, 0.66, 0.55])
    parts = [Component.chi_square(values.var(ddof=1) / len(values), len(values) - 1) for values in (one, other)]
    found = t_interval(one.mean() - other.mean(), parts, 0.95)
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_no_variance_no_width():
    assert t_interval(0.3, [Component(0.0, 0.0)], 0.95) == (0.3, 0.3, 0.3, 0.0, np.inf)


def test_what_exceeds_a_known_part():
    # far above: the difference itself, with the mean square's own uncertainty 2 s^4 / df
    above = excess(1.0, 0.01, 200)
    assert above.variance == pytest.approx(0.99)
    assert above.uncertainty == pytest.approx(2 / 200, rel=1e-3)
    # nothing in excess: half of a normal, E max(0, x) = s / sqrt(2 pi), Var = s^2 (1/2 - 1 / (2 pi)), s^2 = 2 / 8
    none = excess(1.0, 1.0, 8)
    assert none.variance == pytest.approx(0.5 / np.sqrt(2 * np.pi))
    assert none.uncertainty == pytest.approx(0.25 * (0.5 - 1 / (2 * np.pi)))
    assert excess(0.0, 0.2, 4) == (0.0, 0.0)


# influence


@pytest.mark.parametrize("name", METRICS)
def test_influences_are_what_deleting_a_row_does(name):
    gold, sources = draw(1, rows=30, runs=2)
    runs, metric = sources["llm"], METRICS[name]
    found = row_influences(gold, runs, tables(gold, runs), metric)
    for run, values in zip(runs, found, strict=True):
        whole = metric(confusion(gold, run, 3))
        without = [metric(confusion(np.delete(gold, row), np.delete(run, row), 3)) for row in range(30)]
        deleted = 29 * (whole - np.array(without))
        assert values == pytest.approx(deleted - deleted.mean(), abs=1e-9)


def test_accuracys_influence_is_the_row_itself():
    gold = np.array([0, 1, 2, 0])
    run = np.array([[0, 1, 0, -1]])
    assert row_influences(gold, run, tables(gold, run), accuracy)[0] == pytest.approx([0.5, 0.5, -0.5, -0.5])


# more metrics


@pytest.mark.parametrize("seed", range(5))
def test_mcc_equals_scikit_learn(seed):
    gold, sources = draw(seed, runs=1)
    assert mcc(confusion(gold, sources["llm"][0], 3)) == pytest.approx(matthews_corrcoef(gold, sources["llm"][0]))
    assert mcc(confusion(gold, np.zeros_like(gold), 3)) == 0


# components of runs


def test_single_runs_are_a_paired_t_test():
    gold, sources = draw(2, runs=1)
    found = variances(gold, sources, accuracy).difference("llm", "gold", 0.95)
    right = [(sources[name][0] == gold).astype(float) for name in ("llm", "gold")]
    expected = stats.ttest_rel(*right).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    alone = rows_interval(right[0].mean(), right[0] - right[0].mean(), 0.95)
    assert variances(gold, sources, accuracy).mean("llm", 0.95) == pytest.approx(alone)


def test_runs_that_are_alike_add_nothing_to_one():
    gold, sources = draw(3, runs=1)
    several = {name: np.repeat(runs, 4, axis=0) for name, runs in sources.items()}
    for metric in METRICS.values():
        one, four = (variances(gold, of, metric).difference("llm", "gold", 0.95) for of in (sources, several))
        assert four == pytest.approx(one)


def test_chance_alone_is_not_counted_twice():
    # Every row of every run is right with the same probability: the mean of R runs has the variance p q / (N R).
    generator = np.random.default_rng(4)
    gold = np.zeros(400, dtype=int)
    errors = []
    for _ in range(100):
        sources = {name: (generator.random((5, 400)) < 0.3).astype(int) for name in "abcdef"}
        errors.append(variances(gold, sources, accuracy, 2).mean("a", 0.95).error ** 2)
    exact = 0.3 * 0.7 / (400 * 5)
    assert exact < np.mean(errors) < 1.3 * exact  # more: an excess is never below 0; counted twice it would be 2


def test_seeds_alone_are_pooled_while_they_are_alike():
    # Runs that differ in a level only: the first n rows are right, the rest wrong, in each run another n.
    gold = np.zeros(1000, dtype=int)

    def runs(*right):
        return np.array([np.where(np.arange(1000) < number, 0, 1) for number in right])

    alike = {"a": runs(700, 720, 680), "b": runs(650, 668, 632)}
    pooled = variances(gold, alike, accuracy, 2)
    assert pooled._pooled
    assert pooled._seeds["a"].variance == pytest.approx(pooled._seeds["b"].variance, rel=0.01)
    unlike = alike | {"c": runs(500, 900, 100)}
    apart = variances(gold, unlike, accuracy, 2)
    assert not apart._pooled
    assert apart._seeds["c"].variance > 50 * apart._seeds["a"].variance


def test_scores_that_differ_by_rounding_do_not_vary():
    # one run, and the same with the classes and the rows turned: F1 of the classes in another order, and another sum
    generator = np.random.default_rng(5)
    gold = np.repeat([0, 1, 2], 4)
    run = np.where(generator.random(12) < 0.6, gold, generator.integers(0, 3, 12))
    runs = np.stack([np.roll((run + turn) % 3, 4 * turn) for turn in range(3)])
    found = variances(gold, {"a": runs, "b": np.tile(gold, (3, 1))}, macro_f1)
    assert 0 < np.ptp(found.scores["a"]) < 1e-15
    assert found._pooled


def test_few_seeds_are_few_degrees_of_freedom():
    # Nearly all variance is between runs: 2 + 2 degrees of freedom where sources are pooled, somewhat more as an excess
    # can't be negative; t(4) = 2.78, t(6) = 2.45, and 1.96 if the variance were known.
    gold = np.zeros(5000, dtype=int)
    sources = {
        name: np.array([np.where(np.arange(5000) < number, 0, 1) for number in right])
        for name, right in {"a": (3000, 3900, 2200), "b": (2500, 3500, 1600)}.items()
    }
    found = variances(gold, sources, accuracy, 2).difference("a", "b", 0.95)
    assert stats.t.ppf(0.975, 6) < (found.high - found.estimate) / found.error < stats.t.ppf(0.975, 4)
    assert found.error == pytest.approx(np.sqrt(2 / 3 * np.var([0.6, 0.78, 0.44], ddof=1)), rel=0.1)


@pytest.mark.parametrize("metric", [accuracy, macro_f1, mcc])
def test_names_and_orders_change_nothing(metric):
    gold, sources = draw(5)
    found = variances(gold, sources, metric).difference("llm", "gold", 0.95)
    generator = np.random.default_rng(0)
    rows, runs, classes = generator.permutation(90), generator.permutation(4), np.append(generator.permutation(3), -1)
    renamed = {name: classes[of][:, rows][runs] for name, of in sources.items()}
    other = variances(classes[gold][rows], renamed, metric).difference("llm", "gold", 0.95)
    assert other == pytest.approx(found)
    turned = variances(gold, sources, metric).difference("gold", "llm", 0.95)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_a_source_minus_itself_is_0_for_sure():
    gold, sources = draw(3)
    found = variances(gold, sources, macro_f1).difference("llm", "llm", 0.95)
    assert found[:4] == (0, 0, 0, 0)
