"""Whether students have trained long enough, from their curves; and which of them failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats

LEARNED = 0.1  # share of the labels' entropy that must be explained for a student to have learned anything
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
    score at the end minus that around half of the steps; noise: what a flat curve may gain by chance; to_come: what is
    still to be gained; below_best: best validation score minus the last.  Means over runs.
    """

    steps: float
    fit: float
    gain: float
    noise: float
    to_come: float
    below_best: float
    converged: bool


def fit(curve: Curve, entropy: float) -> float:
    """1 - loss / entropy at the end of training: 0 for a student that only knows how often labels are.

    1 where all labels are the same: there is nothing to learn.
    """
    if entropy <= 0:
        return 1.0
    return float(1 - _late(curve.loss_steps, curve.losses) / entropy)


def middle_fit(curve: Curve, entropy: float) -> float:
    """The same around half of the steps."""
    return 1.0 if entropy <= 0 else float(1 - _middle(curve.loss_steps, curve.losses) / entropy)


def late_gain(curve: Curve) -> float:
    """Mean validation score of the last quarter of the steps minus that around their half; nan with one validation.

    Where none falls around the half, the last one before it stands in.
    """
    return _late(curve.steps, curve.scores) - _middle(curve.steps, curve.scores)


def gain_to_come(gain: float, middle: float, end: float) -> float:
    """What the unlearned rest of the labels still brings, at the rate at which learning has paid since the middle.

    gain (1 - end) / (end - middle), middle and end the fits there; the gain itself where the fit does not grow.  With a
    rate that falls to 0 every curve ends flat; how much of the labels is still to be learned tells what that is worth.
    """
    return gain * (1 - end) / (end - middle) if end > middle else gain


def _late(steps: NDArray[np.integer[Any]], values: Floats) -> float:
    return float(values[steps > LATE * steps[-1]].mean())


def _middle(steps: NDArray[np.integer[Any]], values: Floats) -> float:
    """Mean around half of the steps; where none is there, the last before it; nan without any."""
    share = steps / steps[-1]
    middle = (share > MIDDLE[0]) & (share <= MIDDLE[1])
    if not middle.any():
        middle = share == share[share <= MIDDLE[1]].max(initial=0.0)
    return float(values[middle].mean()) if middle.any() else float("nan")


def convergence(
    curves: Mapping[str, list[Curve]], entropies: Mapping[str, list[float]], flat: float
) -> dict[str, Convergence]:
    """Judge each source's runs together; entropies: of each run's training labels, in nats.

    Not long enough: nothing was learned; or more than `flat` is still to come, and the score has risen by more than
    noise.  The spread of gains over runs is pooled over the sources; while few runs tell it, noise excuses nothing.
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
        pairs = list(zip(runs, entropies[name], strict=True))
        fitted = float(np.mean([fit(curve, entropy) for curve, entropy in pairs]))
        to_come = gain_to_come(gain, float(np.mean([middle_fit(curve, entropy) for curve, entropy in pairs])), fitted)
        found[name] = Convergence(
            steps=float(np.mean([curve.steps[-1] for curve in runs])),
            fit=fitted,
            gain=gain,
            noise=noise,
            to_come=to_come,
            below_best=float(np.mean([curve.scores.max() - curve.scores[-1] for curve in runs])),
            # nan is not enough: one validation can't tell
            converged=fitted >= LEARNED and (to_come <= flat or gain <= noise),
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
