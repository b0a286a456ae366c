"""Conformal prediction sets: so many classes that the gold one is among them for a stated share of new rows.

Vovk, Gammerman & Shafer, *Algorithmic Learning in a Random World* (2005); the score is that of Sadinle, Lei & Wasserman
(2019), *Least Ambiguous Set-Valued Classifiers with Bounded Error Levels*: 1 - the probability of the gold class.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Codes, Floats

Sets = NDArray[np.bool_]
Maker = Callable[[Floats, Codes, Floats, float], Sets]
ROUNDING = 1e-12
FOLDS = 5


class _AsGiven:
    """A classifier in mapie's sense, whose texts are their own probabilities."""

    def __init__(self, classes: int) -> None:
        self.classes_ = np.arange(classes)

    def fit(self, probabilities: Floats, gold: Codes) -> _AsGiven:
        """There is nothing to learn."""
        return self

    def predict(self, probabilities: Floats) -> NDArray[np.int64]:
        """The most probable class."""
        codes: NDArray[np.int64] = probabilities.argmax(axis=1)
        return codes

    def predict_proba(self, probabilities: Floats) -> Floats:
        """What was given."""
        return probabilities


def are_few(rows: int, risk: float) -> bool:
    """Whether so many rows with gold tell nothing about a share `risk`, so that only sets of all classes are safe."""
    return rows * min(risk, 1 - risk) < 1 + ROUNDING  # at 1 itself, rounding decides what mapie takes


def sets_for_all(known: Floats, gold: Codes, new: Floats, risk: float) -> Sets:
    """Sets of new rows (M, K) from rows with gold, (N, K) and (N,): all but `risk` of new rows have gold in it.

    The promise is about the mean over new rows and over such rows with gold, not about any class or slice.
    """
    from mapie.classification import SplitConformalClassifier

    if are_few(len(known), risk):
        return np.ones(new.shape, dtype=bool)
    sets = SplitConformalClassifier(_AsGiven(known.shape[1]), 1 - risk, "lac", prefit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a class has no row with gold
        sets.conformalize(known, gold)
    found: Sets = sets.predict_set(new)[1][:, :, 0]
    return found


def sets_by_class(known: Floats, gold: Codes, new: Floats, risk: float) -> Sets:
    """As sets_for_all, with a threshold for each class: all but `risk` of new rows of each class have it in it.

    The threshold is the ceil((n + 1)(1 - risk))-th smallest score of the class's n rows with gold; a class with too few
    is in every set.
    """
    scores = 1 - known[np.arange(len(known)), gold]
    found = np.ones(new.shape, dtype=bool)
    for code in range(new.shape[1]):
        if (last := highest_score(scores[gold == code], risk)) is not None:
            found[:, code] = 1 - new[:, code] <= last + ROUNDING
    return found


def highest_score(scores: Floats, risk: float) -> float | None:
    """The score up to which a class is in a set: the ceil((n + 1)(1 - risk))-th smallest of those of gold classes (n,).

    None where so few rows tell nothing, and every class is in the set.
    """
    if are_few(len(scores), risk):
        return None
    return float(np.sort(scores)[_place(len(scores), risk) - 1])


def held_by_chance(known: int, risk: float, rows: int, confidence: float) -> tuple[float, float] | None:
    """Between which shares of `rows` new rows hold their gold by luck alone, where sets are from `known` rows.

    The promise is a mean over draws of known rows.  Sets of one draw hold the gold of a share Beta(k, n + 1 - k) of new
    rows, k the place of the highest score, so that the rows that do are beta-binomial; Vovk, "Conditional Validity of
    Inductive Conformal Predictors" (2012, arXiv 1209.2673).  None where so few rows tell nothing.
    """
    from scipy.stats import betabinom

    if are_few(known, risk):
        return None
    place = _place(known, risk)
    low, high = betabinom(rows, place, known + 1 - place).ppf([(1 - confidence) / 2, (1 + confidence) / 2]) / rows
    return float(low), float(high)


def _place(known: int, risk: float) -> int:
    return int(np.ceil((known + 1) * (1 - risk) - ROUNDING))


def parts_of(rows: int, generator: np.random.Generator) -> Codes:
    """The part of each row (N,), one of FOLDS, as many rows in each as can be."""
    found: Codes = generator.permutation(rows) % FOLDS
    return found


def fewest_known(codes: Codes, parts: Codes, classes: int) -> Codes:
    """By class, (K,), the fewest of its rows that the sets of any part are made from: codes and parts (N,)."""
    found: Codes = np.min(
        [np.bincount(codes[parts != part], minlength=classes) for part in range(FOLDS) if (parts == part).any()], axis=0
    )
    return found


def cross_fitted(make: Maker, probabilities: Floats, gold: Codes, risk: float, parts: Codes) -> Sets:
    """Sets of all rows (N, K), of each of the parts (N,) from the rows of the others: no row's gold made its own set.

    make: of known rows' probabilities and gold, new rows' probabilities, and the risk.
    """
    found = np.zeros(probabilities.shape, dtype=bool)
    for part in range(FOLDS):
        inside = parts == part
        if inside.any():
            found[inside] = make(probabilities[~inside], gold[~inside], probabilities[inside], risk)
    return found
