"""What is learned of a classifier: its temperature, the thresholds of its sets, and how far known texts are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.classifiers.calibration import Coverage, Thresholds
from labelrisk.settings.calibrate import CalibrateSettings
from labelrisk.sources.learning import temperature
from labelrisk.statistics.conformal import ROUNDING, highest_score
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.shares import wilson


def fitted_temperature(probabilities: Floats, gold: NDArray[np.int64], least: int) -> float:
    """The temperature of validation rows (n, K) with gold (n,); 1 with fewer than `least`."""
    return temperature(probabilities, gold) if len(gold) >= least else 1.0


def thresholds(probabilities: Floats, gold: Codes, risk: float) -> Thresholds:
    """Those of split conformal prediction, from validation rows (n, K) with gold (n,); not measured on test rows yet.

    The same rows chose each student's checkpoint and the ensemble among sources, so that scores on them are a little
    too good, and the promise of 1 - risk is not exact: on_test says what became of it.  Among M candidates that are
    chosen from, coverage falls by about sqrt(log(2 M) / (2 n)) at most; Yang & Kuchibhotla, "Selection and Aggregation
    of Conformal Prediction Sets" (2024, arXiv 2104.13871), section 3.
    """
    scores = 1 - probabilities[np.arange(len(gold)), gold]
    by_class = [highest_score(scores[gold == code], risk) for code in range(probabilities.shape[1])]
    return Thresholds(
        risk=risk,
        validation_rows=len(gold),
        all_rows=highest_score(scores, risk),
        each_class=tuple(by_class),
        on_test=None,
    )


def sets_of(probabilities: NDArray[Any], found: Thresholds, *, by_class: bool = False) -> NDArray[np.bool_]:
    """Which classes are in the set of each row (N, K); by_class: by the thresholds of each class."""
    classes = probabilities.shape[1]
    highest = found.each_class if by_class else (found.all_rows,) * classes
    bounds = np.array([np.inf if one is None else one for one in highest])
    return np.asarray(1 - probabilities.astype(np.float64) <= bounds + ROUNDING)


def measured(found: Thresholds, probabilities: Floats, gold: Codes, confidence: float) -> Thresholds:
    """With the share of test rows (n, K) whose sets hold their gold (n,)."""
    if not len(gold):
        return found
    holds = sets_of(probabilities, found)[np.arange(len(gold)), gold]
    share = wilson(int(holds.sum()), len(gold), confidence)
    on_test = Coverage(rows=len(gold), share=share.share, low=share.low, high=share.high)
    return found.model_copy(update={"on_test": on_test})


def kept_rows(rows: int, settings: CalibrateSettings) -> NDArray[np.int64]:
    """Places of the train texts that new texts are held against: all of them, or settings.texts drawn."""
    if rows <= settings.texts:
        return np.arange(rows)
    return np.sort(np.random.default_rng(settings.seed).choice(rows, settings.texts, replace=False))


def in_half(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors as they are kept, with the digits of half precision."""
    return vectors.astype(np.float16).astype(np.float32)
