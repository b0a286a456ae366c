"""The verdict on a source: every sentence from evidence that calls for it, and the order in which they go."""

import numpy as np
import pytest

from labelrisk.comparison.class_losses import ClassLoss, weakest_class
from labelrisk.comparison.stability import Stability
from labelrisk.comparison.verdicts import Evidence, judge, judge_reference
from labelrisk.settings.evaluate import EvaluateSettings
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.convergence import Convergence
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.variance_shares import Shares

HOW = EvaluateSettings(reference="gold", margin=0.02, confidence=0.95)
LONG = Convergence(steps=160, fit=0.95, gain=0.0, noise=0.01, to_come=0.04, below_best=0.0, converged=True)
SHORT = LONG._replace(fit=0.5, gain=0.032, converged=False)


def interval(estimate, half):
    return Interval(estimate, estimate - half, estimate + half, half / 1.96, np.inf)


def a_class(recall, difference=0.0, lost=False, predicted=0.3):
    return ClassLoss(interval(recall, 0.05), interval(recall, 0.05), interval(difference, 0.05), predicted, 0.3, lost)


def steady(p_uc, unstable=False):
    found = interval(p_uc, 0.05)
    return Stability(found, found, interval(0.0, 0.05), None, unstable)


def evidence(difference=0.0, half=0.01, **changes):
    """A source without a fault, unless changed."""
    shares = Shares(rows=(half / 1.96) ** 2, chance=0.0, seeds=0.0, uncertainty=0.0, row_count=1000, run_count=5)
    seen = Evidence(
        length=LONG, reference_length=LONG, failed=[], difference=interval(difference, half), shares=shares,
        classes={"pride": a_class(0.7), "shame": a_class(0.6)},
        reference_classes={"pride": a_class(0.7), "shame": a_class(0.6)},
        stability=steady(0.8), reference_stability=steady(0.8), against_twin=None, seeds=5,
    )  # fmt: skip
    return seen._replace(**changes)


def twin(estimate, half):
    return Contrast(estimate, estimate - half, estimate + half, 0.5, 0.01, "equivalent")


def said(seen):
    found = judge(seen, HOW)
    return f"{found.word}: {found.because}"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (evidence(), "safe: loses less than 2 points of macro-F1"),
        (evidence(-0.009), "safe: loses less than 2 points of macro-F1"),  # worse, but within what is accepted
        (evidence(-0.05, 0.02), "risky: loses 3.0 to 7.0 points of macro-F1, more than the 2 accepted"),
        (
            evidence(length=SHORT),
            "not trained enough: at 160 steps 50 % of its labels are unlearned, and validation F1 still rises "
            "(+3.2 late in training, some 4.0 to come)",
        ),
        (
            evidence(length=SHORT._replace(fit=0.05)),
            "not trained enough: after 160 steps its students have learned nothing",
        ),
        (
            evidence(reference_length=SHORT),
            "not trained enough: the reference is not, so that there is nothing to hold it against",
        ),
        (
            evidence(classes={"pride": a_class(0.7), "shame": a_class(0.03, -0.57, lost=True)}),
            "loses a class: loses shame: recall 0.03 against 0.60",
        ),
        (
            evidence(classes={"pride": a_class(0.7), "shame": a_class(0.0, -0.6, predicted=0.0)}),
            "loses a class: never predicts shame: recall 0.00 against 0.60",
        ),
        (  # the reference does not find it either
            evidence(
                classes={"pride": a_class(0.7), "shame": a_class(0.0, predicted=0.0)},
                reference_classes={"pride": a_class(0.7), "shame": a_class(0.0, predicted=0.001)},
            ),
            "safe: loses less than 2 points of macro-F1",
        ),
        (
            evidence(length=SHORT._replace(gain=float("nan"))),
            "not trained enough: one validation a run can't tell; lower train.validate_every",
        ),
        (evidence(seeds=1), "safe: loses less than 2 points of macro-F1; of one seed alone"),
        (
            evidence(stability=steady(0.61, unstable=True), reference_stability=steady(0.74)),
            "unstable: seeds agree on 61 % of rows, the reference's on 74 % (alpha 0.61 against 0.74)",
        ),
        (
            evidence(-0.01, 0.03, against_twin=twin(0.003, 0.01)),
            "no better than random: choosing its rows gains +0.3 [-0.7, +1.3] points over random ones",
        ),
        (
            evidence(-0.05, 0.02, against_twin=twin(0.003, 0.01)),
            "risky: loses 3.0 to 7.0 points of macro-F1, more than the 2 accepted; "
            "choosing its rows gains +0.3 [-0.7, +1.3] points over random ones",
        ),
        (evidence(failed=[3]), "safe: loses less than 2 points of macro-F1; failed: seed 3"),
        (
            evidence(-0.02, 0.02, failed=[3]),
            "can't tell: the gap is too close to the margin: -2.0 [-4.0, +0.0] points; failed: seed 3",
        ),
    ],
)  # fmt: skip
def test_sentences(seen, expected):
    assert said(seen) == expected


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.01, 0.05, "safe"),
        (-0.019, -0.001, "safe"),  # worse for certain, but by less than the margin
        (-0.03, 0.03, "can't tell"),
        (-0.02, 0.0, "can't tell"),
        (-0.05, -0.02, "can't tell"),
        (-0.05, -0.021, "risky"),
    ],
)
def test_non_inferiority(low, high, word):
    seen = evidence((low + high) / 2, (high - low) / 2)
    exact = seen.difference._replace(low=low, high=high)
    assert judge(seen._replace(difference=exact), HOW).word == word


def test_a_source_that_is_not_trained_enough_gets_no_risky():
    assert judge(evidence(-0.2, 0.01, length=SHORT), HOW).word == "not trained enough"


def test_what_would_tell_is_enough_and_no_more():
    # rows alone vary: the error that tells -1 from -2 points with power .8 is .01 / (1.96 + .84), so that
    # (2.8 x half / 1.96 / .01)^2 times the rows are needed
    found = judge(evidence(-0.01, 0.02), HOW)
    (way,) = found.ways
    assert found.word == "can't tell"
    assert way.seeds == 5
    assert way.rows == pytest.approx(1000 * (2.8016 * 0.02 / 1.96 / 0.01) ** 2, rel=0.01)
    assert found.because == f"{way.rows - 1000:,} more test rows would"


def test_seeds_are_named_before_rows():
    shares = Shares(rows=2e-5, chance=0.0, seeds=8e-5, uncertainty=1e-10, row_count=1000, run_count=5)
    found = judge(evidence(-0.001, 0.03)._replace(shares=shares), HOW)
    assert found.ways[0].seeds > 5
    assert found.ways[0].rows == 1000
    assert "more seeds" in found.because.split(" or ")[0]
    # rows alone would leave the seeds' part: the second way is more of both, which saves seeds
    assert found.ways[1].seeds <= 0.8 * found.ways[0].seeds
    assert found.ways[1].rows > 1000
    few_rows_count = shares._replace(rows=2e-6)
    assert len(judge(evidence(-0.001, 0.03)._replace(shares=few_rows_count), HOW).ways) == 1


def test_a_gap_at_the_margin_is_never_told():
    found = judge(evidence(-0.02, 0.02), HOW)
    assert found.ways == ()
    assert found.because == "the gap is too close to the margin: -2.0 [-4.0, +0.0] points"


def test_the_reference_is_judged_for_its_training_alone():
    assert judge_reference(LONG, []).word == "reference"
    assert judge_reference(SHORT, []).word == "not trained enough"
    assert judge_reference(LONG, [2]).because.endswith("; failed: seed 2")


def test_the_weakest_class_loses_most_and_of_equals_has_the_lowest_recall():
    assert weakest_class({"a": a_class(0.9, -0.3), "b": a_class(0.2, 0.0)}) == "a"
    assert weakest_class({"a": a_class(0.9), "b": a_class(0.2)}) == "b"
