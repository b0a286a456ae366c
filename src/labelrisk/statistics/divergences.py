"""Divergences of class probabilities: how far a student's error is its annotator's, and how far its own estimation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Codes, Floats

LEAST = 1e-12  # a student's probability that single precision made 0


class Terms(NamedTuple):
    """Row values in nats: total, estimation and remainder of each run (R, N), and the annotator's own error (N,)."""

    total: Floats
    annotator: Floats
    estimation: Floats
    remainder: Floats


def smoothed(probabilities: NDArray[Any], share: float) -> Floats:
    """(1 - share) p + share / K: a share of even doubt, so that no class has probability 0; (..., K) -> (..., K)."""
    mixed: Floats = (1 - share) * probabilities.astype(np.float64) + share / probabilities.shape[-1]
    return mixed


def divergence_terms(gold: Codes, given: NDArray[Any], runs: NDArray[Any]) -> Terms:
    """The two terms of Lu & Smith (2025), and what they leave: gold (N,), given (N, K) without 0, runs (R, N, K).

      KL(P || P_hat) = KL(P || P_S) + KL(P_S || P_hat) + remainder,  remainder = sum_k (P - P_S)_k log(P_S / P_hat)_k

    P: what is true of a row; P_S: the annotator's probabilities; P_hat: a student's.  Of P one draw is known, gold.  So
    KL(P || Q) is taken as -log Q(gold), whose mean is KL(P || Q) plus the entropy of P: `total` and `annotator` are too
    high by that entropy.  It cancels in the remainder, and estimation does not have it.
    """
    of_annotator = np.log(given.astype(np.float64))
    own = -of_annotator[np.arange(len(gold)), gold]
    total, estimation = log_losses(gold, runs), np.empty(runs.shape[:2])
    for place, run in enumerate(runs):  # one run at a time: bounds memory at N K numbers
        estimation[place] = (given * (of_annotator - _log(run))).sum(axis=-1)
    return Terms(total, own, estimation, total - own - estimation)


def log_losses(gold: Codes, runs: NDArray[Any]) -> Floats:
    """-log of what runs (R, N, K) give the gold class of each row, (R, N), in nats."""
    return -_log(runs[:, np.arange(len(gold)), gold])


def _log(probabilities: NDArray[Any]) -> Floats:
    return np.asarray(np.log(np.maximum(probabilities, LEAST, dtype=np.float64)))
