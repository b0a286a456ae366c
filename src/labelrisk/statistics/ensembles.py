"""What several members say of a row put together: weighted by validation rows, or stacked on them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Codes, Floats

FLOOR = 1e-3  # of a probability before its logarithm: how sure of a class's absence a student may be says little
PENALTIES = (0.001, 0.01, 0.1)  # scikit-learn's C: larger is a weaker penalty
FOLDS = 3
ITERATIONS, TOLERANCE = 200, 1e-3  # of the solver
STEPS, SETTLED = 200, 1e-5  # of the weights
HELD = 2**22  # numbers that are held at a time

Members = NDArray[np.floating[Any]]  # probabilities (M, N, K)


def mixture_weights(members: Members, gold: Codes) -> Floats:
    """Weights of members, (M,), 0 or more, of sum 1: members (M, V, K) on rows with gold (V,).

    They maximise the mean over rows of log(sum_m w_m p_m(gold class)), which has one maximum; by EM from equal weights:
    w_m <- mean over rows of w_m p_m / sum_j w_j p_j.  Yao, Vehtari, Simpson & Gelman, "Using Stacking to Average
    Bayesian Predictive Distributions" (2018), section 3.2, with held-out rows in the place of left-out ones.
    """
    right = np.maximum(members[:, np.arange(len(gold)), gold].astype(np.float64), FLOOR)
    weights = np.full(len(members), 1 / len(members))
    for _ in range(STEPS):
        mixed = weights[:, None] * right
        after = (mixed / mixed.sum(axis=0)).mean(axis=1)
        settled = np.abs(after - weights).max() < SETTLED
        weights = after
        if settled:
            break
    return weights


def shared_weights(weights: Floats, present: Sequence[int]) -> Floats:
    """The weights of some of the members, among whom those of the others are shared evenly: (M,) -> (len(present),)."""
    kept = weights[list(present)]
    return np.asarray(kept + (1 - kept.sum()) / len(kept))


def weighted_votes(members: Members, weights: Floats) -> NDArray[np.int64]:
    """The class of the highest weighted mean probability, for several lists of weights: (M, N, K), (P, M) -> (P, N).

    The first in class order wins a tie.
    """
    lists, (_, rows, classes) = len(weights), members.shape
    votes = np.empty((lists, rows), dtype=np.int64)
    step = max(1, HELD // (lists * classes))
    for start in range(0, rows, step):
        part = np.moveaxis(members[:, start : start + step], 2, 0).astype(np.float64)  # (K, M, rows)
        best, said = weights @ part[0], np.zeros((lists, part.shape[2]), dtype=np.int64)
        for code in range(1, classes):
            sums = weights @ part[code]
            said[sums > best] = code
            np.maximum(best, sums, out=best)
        votes[:, start : start + step] = said
    return votes


class Stacker:
    """Multinomial logistic regression from the members' log-probabilities to gold, with a quadratic penalty.

    Wolpert, "Stacked Generalization" (1992); Ting & Witten, "Issues in Stacked Generalization" (1999), for class
    probabilities as its input.
    """

    def __init__(self, logs: Floats, gold: Codes, penalty: float) -> None:
        """logs (M, V, K) of rows with gold (V,); penalty: C of scikit-learn.  One class alone is always said."""
        members, _, classes = logs.shape
        self._classes = np.unique(gold)
        self._weights = np.zeros((len(self._classes), members, classes))
        self._constant = np.zeros(len(self._classes))
        if len(self._classes) < 2:
            return
        of_rows = _side_by_side(logs)
        centre = of_rows.mean(axis=0)  # the solver settles much sooner around 0
        model = _fitted(of_rows - centre, gold, penalty)
        weights, constant = model.coef_, model.intercept_ - model.coef_ @ centre
        if len(weights) == 1:  # of two classes the second's alone
            weights, constant = np.concatenate([0 * weights, weights]), np.append(0.0, constant)
        self._weights[:], self._constant[:] = weights.reshape(self._weights.shape), constant

    def vote(self, logs: Floats, present: Sequence[int] | None = None) -> NDArray[np.int64]:
        """The most probable class of each row: (M, N, K) -> (N,).

        present: the places of the members that are asked, all by default; the mean of their log-probabilities stands
        for each of the others.
        """
        weights, some = self._weights, logs
        if present is not None:
            some, kept = logs[list(present)], weights[:, list(present)]
            weights = kept + (weights.sum(axis=1, keepdims=True) - kept.sum(axis=1, keepdims=True)) / len(present)
        scores = self._constant[:, None] + sum(weights[:, at] @ one.T for at, one in enumerate(some))
        return np.asarray(self._classes[np.asarray(scores).argmax(axis=0)], dtype=np.int64)


def best_penalty(logs: Floats, gold: Codes, generator: np.random.Generator) -> float:
    """The penalty whose models give gold of the fold that they have not seen the highest mean log-probability.

    logs (M, V, K) of rows with gold (V,), in three folds drawn by the generator; of equals the strongest.  A class that
    the other folds lack has the probability FLOOR.
    """
    fold, of_rows = generator.permutation(len(gold)) % FOLDS, _side_by_side(logs)
    of_rows = of_rows - of_rows.mean(axis=0)  # a new array: the other one may be a view of logs
    found = [
        np.concatenate([_log_likelihoods(of_rows, gold, fold != one, penalty) for one in range(FOLDS)]).mean()
        for penalty in PENALTIES
    ]
    return PENALTIES[int(np.argmax(found))]


def log_probabilities(members: Members) -> Floats:
    """What stacking works on: (M, N, K) -> (M, N, K)."""
    return np.log(np.maximum(members.astype(np.float64), FLOOR))


def _side_by_side(logs: Floats) -> Floats:
    """(M, N, K) -> (N, M K)."""
    return np.moveaxis(logs, 0, 1).reshape(logs.shape[1], -1)


def _log_likelihoods(of_rows: Floats, gold: Codes, seen: NDArray[np.bool_], penalty: float) -> Floats:
    known, held = np.unique(gold[seen]), gold[~seen]
    right = np.zeros(len(held))
    if len(known) == 1:
        right[held == known[0]] = 1.0
    else:
        told = _fitted(of_rows[seen], gold[seen], penalty).predict_proba(of_rows[~seen])
        place = np.searchsorted(known, held).clip(max=len(known) - 1)
        right = np.where(known[place] == held, told[np.arange(len(held)), place], 0.0)
    return np.log(np.maximum(right, FLOOR))


def _fitted(of_rows: Floats, gold: Codes, penalty: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a penalty that is too weak to settle loses the choice
        return LogisticRegression(C=penalty, max_iter=ITERATIONS, tol=TOLERANCE).fit(of_rows, gold)
