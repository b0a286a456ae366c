"""Prediction sets of each source's vote: how large they are, and how often the gold class is among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from labelrisk.explanations.certificates.certified_answers import Answers
from labelrisk.statistics.conformal import (
    Maker,
    are_few,
    cross_fitted,
    fewest_known,
    parts_of,
    sets_by_class,
    sets_for_all,
)
from labelrisk.statistics.intervals import Interval, rows_interval
from labelrisk.statistics.scores import Codes
from labelrisk.statistics.shares import Share, wilson

Promise = Literal["all rows", "each class"]
MAKERS: dict[Promise, Maker] = {"all rows": sets_for_all, "each class": sets_by_class}


class SetScores(NamedTuple):
    """Sets that keep one promise, on test rows, each from other test rows.

    size: classes in a set, its mean; single, empty, coverage: shares of rows; by_class: coverage of the rows of each
    class, None for a class without rows.  few: the classes that are in every set of some part for want of rows in the
    others.
    """

    promise: Promise
    size: Interval
    single: Share
    empty: Share
    coverage: Share
    by_class: Sequence[Share | None]
    few: int


def set_scores(vote: Answers, gold: Codes, risk: float, confidence: float, seed: int) -> list[SetScores]:
    """For all rows together, then for each class; both with the same parts of the rows, drawn by `seed`."""
    assert vote.probabilities is not None
    probabilities = vote.probabilities / vote.probabilities.sum(axis=1, keepdims=True)
    rows, classes = probabilities.shape
    parts = parts_of(rows, np.random.default_rng(seed))
    known = {"all rows": fewest_known(np.zeros_like(gold), parts, 1), "each class": fewest_known(gold, parts, classes)}
    found = []
    for promise, make in MAKERS.items():
        sets = cross_fitted(make, probabilities, gold, risk, parts)
        sizes, holds = sets.sum(axis=1), sets[np.arange(rows), gold]
        one = SetScores(
            promise,
            rows_interval(float(sizes.mean()), sizes - sizes.mean(), confidence),
            wilson(int((sizes == 1).sum()), rows, confidence),
            wilson(int((sizes == 0).sum()), rows, confidence),
            wilson(int(holds.sum()), rows, confidence),
            [_share(holds[gold == code], confidence) for code in range(classes)],
            sum(are_few(int(of), risk) for of in known[promise]),
        )
        found.append(one)
    return found


def _share(holds: np.ndarray, confidence: float) -> Share | None:
    return wilson(int(holds.sum()), len(holds), confidence) if len(holds) else None
