"""Whether students have trained long enough, from their curves; and which of them failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats

LEARNED = 0.1  # share of the labels' entropy that must be explained for a student to have learned anything
FITTED = 0.85  # share above which there is nothing left in its labels to learn
LATE, MIDDLE = 0.75, (0.375, 0.625)  # shares of a run's steps: its end, and the time around its half
LEVEL = 0.05  # one-sided: how often a flat curve may look like a rise
FEWEST_DEGREES = 4  # of freedom, below which the noise of gains is not known
ONE_CLASS = 0.99  # share of rows in one class above which a student has collapsed
FAR_BELOW = 0.05  # macro-F1 below all siblings, and twice their range


class Curve(NamedTuple):
    """One run: at (V,) steps its validation score (V,); at (L,) steps its training loss (L,) in nats."""

    steps: NDArray[np.integer[Any]]
    scores: Floats
    loss_steps: NDArray[np.integer[Any]]
    losses: Floats


class Convergence(NamedTuple):
    """How long a source's students trained, what they gained late, and whether that was long enough.

    steps: mean over runs; fit: share of the entropy of its labels that the end of training explains; gain: validation
    score at the end minus that around half of the steps; noise: what a flat curve may gain by chance; below_best: best
    validation score minus the last.  Means over runs.
    """

    steps: float
    fit: float
    gain: float
    noise: float
    below_best: float
    converged: bool


def fit(curve: Curve, entropy: float) -> float:
    """1 - loss / entropy at the end of training: 0 for a student that only knows how often labels are.

    1 where all labels are the same: there is nothing to learn.
    """
    if entropy <= 0:
        return 1.0
    late = curve.loss_steps > LATE * curve.loss_steps[-1]
    return float(1 - curve.losses[late].mean() / entropy)


def late_gain(curve: Curve) -> float:
    """Mean validation score of the last quarter of the steps minus that around their half; nan with one validation.

    Where none falls around the half, the last one before it stands in.
    """
    share = curve.steps / curve.steps[-1]
    late, middle = share > LATE, (share > MIDDLE[0]) & (share <= MIDDLE[1])
    if not middle.any():
        middle = share == share[share <= MIDDLE[1]].max(initial=0.0)
    return float(curve.scores[late].mean() - curve.scores[middle].mean()) if middle.any() else float("nan")


def convergence(
    curves: Mapping[str, list[Curve]], entropies: Mapping[str, list[float]], flat: float
) -> dict[str, Convergence]:
    """Judge each source's runs together; entropies: of each run's training labels, in nats.

    Not long enough: nothing was learned; or there was more to learn from the labels, and the validation score still
    rose by more than `flat` and than noise.  The score alone can't tell: with a rate that falls to 0 every curve ends
    flat.  The spread of gains over runs is pooled over the sources; while few runs tell it, noise excuses nothing.
    """
    from scipy.special import stdtrit

    gains = {name: np.array([late_gain(curve) for curve in runs]) for name, runs in curves.items()}
    degrees = sum(len(values) - 1 for values in gains.values())
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in gains.values())
    found = {}
    for name, runs in curves.items():
        gain, noise = float(gains[name].mean()), 0.0
        if degrees >= FEWEST_DEGREES:
            noise = float(stdtrit(degrees, 1 - LEVEL) * np.sqrt(squares / degrees / len(runs)))
        fitted = float(np.mean([fit(curve, entropy) for curve, entropy in zip(runs, entropies[name], strict=True)]))
        is_flat = gain <= max(flat, noise)  # False for nan: one validation can't tell
        found[name] = Convergence(
            steps=float(np.mean([curve.steps[-1] for curve in runs])),
            fit=fitted,
            gain=gain,
            noise=noise,
            below_best=float(np.mean([curve.scores.max() - curve.scores[-1] for curve in runs])),
            converged=fitted >= FITTED or (fitted >= LEARNED and is_flat),
        )
    return found


def label_entropy(counts: NDArray[Any]) -> float:
    """Entropy in nats of labels by their counts (K,)."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def failed_runs(predictions: NDArray[np.integer[Any]], scores: Floats) -> NDArray[np.bool_]:
    """Which runs of a source failed: predictions (R, N), scores (R,) -> (R,).

    A run fails that gives (almost) all rows one class, or that lies below all its siblings by more than FAR_BELOW and
    twice their range; the latter needs three runs.
    """
    largest = np.array([np.bincount(run).max() / len(run) for run in predictions])
    failed = largest > ONE_CLASS
    if len(scores) >= 3:
        order = np.argsort(scores)
        others = scores[order[1:]]
        if others[0] - scores[order[0]] > max(FAR_BELOW, 2 * float(np.ptp(others))):
            failed[order[0]] = True
    return failed
