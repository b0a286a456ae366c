import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from labelrisk.statistics.scores import accuracy, class_scores, confusion, coverage, macro_f1, rounded

# Worked by hand: class 0 has 3 rows (2 right, 1 without a label), class 1 has 2 (1 right, 1 as class 0), class 2 none,
# and class 2 is never right.
GOLD = np.array([0, 0, 0, 1, 1])
PREDICTED = np.array([0, 0, -1, 1, 0])


def test_confusion_keeps_missing_labels_in_the_last_column():
    assert confusion(GOLD, PREDICTED, 3).tolist() == [[2, 0, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_hand_worked_scores():
    counts = confusion(GOLD, PREDICTED, 3)
    scores = class_scores(counts)
    assert coverage(PREDICTED) == 0.8
    assert accuracy(counts) == pytest.approx(3 / 5)  # the missing label is wrong
    assert scores.precision == pytest.approx([2 / 3, 1, 0])
    assert scores.recall == pytest.approx([2 / 3, 1 / 2, 0])  # and a false negative of class 0
    assert scores.f1 == pytest.approx([2 / 3, 2 / 3, 0])
    assert scores.support.tolist() == [3, 2, 0]
    assert macro_f1(counts) == pytest.approx(2 / 3)  # class 2 doesn't occur in gold


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    gold, predicted = generator.integers(0, 5, 60), generator.integers(-1, 6, 60)
    counts = confusion(gold, predicted, 6)
    in_gold = sorted(set(gold))
    assert counts[:, :-1].tolist() == confusion_matrix(gold, predicted, labels=range(6)).tolist()
    assert accuracy(counts) == pytest.approx(accuracy_score(gold, predicted))
    assert macro_f1(counts) == pytest.approx(
        f1_score(gold, predicted, labels=in_gold, average="macro", zero_division=0)
    )
    theirs = precision_recall_fscore_support(gold, predicted, labels=range(6), zero_division=0)
    for ours, expected in zip(class_scores(counts), theirs, strict=True):
        assert ours == pytest.approx(expected)


def test_abstaining_never_helps():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 3, 100)
    guessed = generator.integers(0, 3, 100)
    wrong = np.flatnonzero(guessed != gold)
    abstained = guessed.copy()
    abstained[wrong] = -1
    assert accuracy(confusion(gold, abstained, 3)) == accuracy(confusion(gold, guessed, 3))
    perfect_half = np.where(np.arange(100) < 50, gold, -1)
    assert accuracy(confusion(gold, perfect_half, 3)) == 0.5


def test_predicting_a_class_that_gold_lacks_costs_recall():
    gold = np.array([0, 0, 1, 1])
    assert macro_f1(confusion(gold, np.array([0, 2, 1, 1]), 3)) == pytest.approx((2 / 3 + 1) / 2)


def test_works_on_stacks_of_counts():
    counts = confusion(GOLD, PREDICTED, 3)
    stack = np.stack([counts, 2 * counts])
    assert macro_f1(stack) == pytest.approx([2 / 3, 2 / 3])
    assert accuracy(stack) == pytest.approx([0.6, 0.6])
    assert class_scores(stack).f1.shape == (2, 3)


def test_no_rows_is_not_a_score():
    nothing = np.array([], dtype=int)
    counts = confusion(nothing, nothing, 2)
    assert np.isnan(accuracy(counts))
    assert np.isnan(macro_f1(counts))
    assert np.isnan(coverage(nothing))


def test_rounded_is_what_json_can_hold():
    assert json.dumps([rounded(v) for v in (2 / 3, float("nan"), -1e-9, np.float32(1))]) == "[0.6667, null, 0.0, 1.0]"
