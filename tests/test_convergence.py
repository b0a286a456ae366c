"""Curves of students that have converged or not, and runs that failed, against worked examples."""

import numpy as np
import pytest

from labelrisk.statistics.convergence import (
    Curve,
    convergence,
    failed_runs,
    fit,
    gain_to_come,
    label_entropy,
    late_gain,
    middle_fit,
)

STEPS = np.arange(20, 161, 20)


def curve(scores, losses, steps=STEPS):
    return Curve(steps, np.array(scores, dtype=float), steps, np.array(losses, dtype=float))


def judged(scores, losses, noise=0.0, entropy=2.0, runs=5):
    """One source whose runs have these means, and noise of known size around them."""
    offsets = noise * np.linspace(-1, 1, runs)
    curves = [curve(np.array(scores) + offset * np.linspace(0, 1, len(scores)), losses) for offset in offsets]
    return convergence({"source": curves}, {"source": [entropy] * runs}, flat=0.02)["source"]


def test_fit_and_gain_by_hand():
    run = curve([0.1, 0.2, 0.3, 0.5, 0.6, 0.65, 0.7, 0.8], [2, 1.8, 1.5, 1.2, 1, 0.9, 0.5, 0.3])
    # late: steps 140 and 160 of 160; middle: 80 and 100
    assert late_gain(run) == pytest.approx((0.7 + 0.8) / 2 - (0.5 + 0.6) / 2)
    assert fit(run, entropy=2.0) == pytest.approx(1 - 0.4 / 2)


def test_what_is_to_come_by_hand():
    # since the middle the score has risen by .12 while .4 of the labels were learned: the last .1 bring a quarter
    assert gain_to_come(0.12, 0.5, 0.9) == pytest.approx(0.03)
    assert gain_to_come(0.12, 0.5, 0.5) == 0.12
    run = curve([0.1, 0.2, 0.3, 0.5, 0.6, 0.65, 0.7, 0.8], [2, 1.8, 1.5, 1.2, 1, 0.9, 0.5, 0.3])
    assert middle_fit(run, entropy=2.0) == pytest.approx(1 - 1.1 / 2)
    found = convergence({"source": [run]}, {"source": [2.0]}, flat=0.02)["source"]
    assert found.to_come == pytest.approx(0.2 * 0.2 / (0.8 - 0.45))
    assert not found.converged


def test_with_three_validations_the_first_stands_for_the_middle():
    run = curve([0.2, 0.5, 0.6], [2, 1, 0.5], steps=np.array([10, 20, 30]))
    assert late_gain(run) == pytest.approx(0.4)
    assert np.isnan(late_gain(curve([0.2], [2], steps=np.array([10]))))


def test_entropy_of_labels():
    assert label_entropy(np.array([5, 5])) == pytest.approx(np.log(2))
    assert label_entropy(np.array([3, 0, 1])) == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))


RISING = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
FLAT = [0.5, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
UNFITTED, FITTED = [2, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3], [2, 1.5, 1, 0.5, 0.3, 0.2, 0.01, 0.01]


@pytest.mark.parametrize(
    ("scores", "losses", "expected"),
    [
        (RISING, UNFITTED, False),
        (FLAT, UNFITTED, True),  # noise in the labels that it has not learned by heart, and need not
        (RISING, FITTED, True),  # hardly anything is left to learn from its labels
        (FLAT, [2.0] * 8, False),  # flat since it has learned nothing
    ],
)
def test_long_enough(scores, losses, expected):
    assert judged(scores, losses).converged is expected


def test_a_rise_within_the_noise_is_flat():
    rise = np.linspace(0.50, 0.58, 8)
    assert not judged(rise, UNFITTED, noise=0.001).converged
    assert judged(rise, UNFITTED, noise=0.12).converged


def test_noise_by_hand():
    # gains of the five runs spread like the offsets at the late steps minus those at the middle ones
    late, middle = np.mean([6 / 7, 1]), np.mean([3 / 7, 4 / 7])
    gains = 0.1 * np.linspace(-1, 1, 5) * (late - middle)
    expected = 2.1318468 * gains.std(ddof=1) / np.sqrt(5)  # t(4, .95)
    assert judged(np.linspace(0.5, 0.54, 8), UNFITTED, noise=0.1).noise == pytest.approx(expected)


def test_two_runs_are_too_few_to_know_the_noise():
    found = judged(np.linspace(0.5, 0.58, 8), UNFITTED, noise=0.1, runs=2)
    assert found.noise == 0
    assert not found.converged


def test_one_run_is_judged_by_its_rise_alone():
    assert not judged(RISING, UNFITTED, runs=1).converged
    assert judged(FLAT, UNFITTED, runs=1).converged


def test_below_best():
    found = judged([0.5, 0.6, 0.7, 0.9, 0.7, 0.7, 0.7, 0.8], FITTED)
    assert found.below_best == pytest.approx(0.1)
    assert found.steps == 160


def test_collapsed_runs_and_runs_far_below_their_siblings_failed():
    generator = np.random.default_rng(0)
    predictions = generator.integers(0, 3, (5, 400))
    scores = np.array([0.70, 0.71, 0.69, 0.40, 0.70])
    assert failed_runs(predictions, scores).tolist() == [False, False, False, True, False]
    predictions[1] = 2
    assert failed_runs(predictions, scores).tolist() == [False, True, False, True, False]


def test_an_unsteady_source_has_no_failed_run():
    predictions = np.random.default_rng(0).integers(0, 3, (5, 400))
    assert not failed_runs(predictions, np.array([0.50, 0.56, 0.60, 0.44, 0.53])).any()
    assert not failed_runs(predictions[:2], np.array([0.5, 0.9])).any()  # which of two is the odd one?


def test_labels_of_one_class_leave_nothing_to_learn():
    assert judged(FLAT, [0.0] * 8, entropy=0.0).fit == 1


def test_one_validation_can_not_tell():
    runs = [curve([0.5], [1.0], steps=np.array([10]))] * 3
    assert not convergence({"source": runs}, {"source": [2.0] * 3}, flat=0.02)["source"].converged
