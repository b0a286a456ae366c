"""Votes of several students: one prediction per item from the probabilities of all runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats


def mean_probabilities(probabilities: NDArray[Any]) -> Floats:
    """Mean over runs: shape (R, N, K) -> (N, K).

    In double precision, where sums of a few single-precision probabilities are practically exact, so that the order
    of the runs can't decide a tie.
    """
    mean: Floats = probabilities.astype(np.float64).mean(axis=0)
    return mean


def soft_vote(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Class of the highest mean probability over runs: (R, N, K) -> (N,); the first in class order wins a tie."""
    winners: NDArray[np.int64] = mean_probabilities(probabilities).argmax(axis=-1)
    return winners


def hard_vote(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Class that most runs predict: (R, N, K) -> (N,).

    Among classes with equally many votes, the highest mean probability over all runs wins, then class order.
    """
    classes = probabilities.shape[-1]
    ballots = (probabilities.argmax(axis=-1)[..., None] == np.arange(classes)).sum(axis=0)
    leads = ballots == ballots.max(axis=-1, keepdims=True)
    winners: NDArray[np.int64] = np.where(leads, mean_probabilities(probabilities), -1.0).argmax(axis=-1)
    return winners
