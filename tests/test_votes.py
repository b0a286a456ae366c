import numpy as np
import pytest

from labelrisk.statistics.votes import hard_vote, mean_probabilities, soft_vote


def test_soft_and_hard_votes_can_differ():
    # Two of three students lean to class 0, the third is sure of class 1.
    runs = np.array([[[0.6, 0.4]], [[0.6, 0.4]], [[0.0, 1.0]]])
    assert mean_probabilities(runs) == pytest.approx(np.array([[0.4, 0.6]]))
    assert soft_vote(runs).tolist() == [1]
    assert hard_vote(runs).tolist() == [0]


def test_hard_vote_breaks_ties_by_mean_probability_among_the_tied():
    # Classes 0 and 2 have one vote each; class 1 has the highest mean probability but no vote.
    runs = np.array([[[0.48, 0.47, 0.05]], [[0.0, 0.47, 0.53]]])
    assert soft_vote(runs).tolist() == [1]
    assert hard_vote(runs).tolist() == [2]


def test_full_ties_fall_to_class_order():
    runs = np.array([[[0.2, 0.5, 0.3]], [[0.2, 0.3, 0.5]]])
    assert soft_vote(runs).tolist() == [1]
    assert hard_vote(runs).tolist() == [1]


def test_one_run_votes_for_itself_and_equal_runs_change_nothing():
    run = np.random.default_rng(0).dirichlet(np.ones(4), size=20)
    for vote in (soft_vote, hard_vote):
        assert vote(run[None]).tolist() == run.argmax(axis=1).tolist()
        assert vote(np.stack([run] * 3)).tolist() == run.argmax(axis=1).tolist()


def test_order_of_runs_does_not_matter():
    generator = np.random.default_rng(1)
    runs = generator.dirichlet(np.ones(3), size=(7, 200)).astype(np.float32)
    for vote in (soft_vote, hard_vote):
        assert vote(runs).tolist() == vote(runs[::-1]).tolist()
