"""How far students repeat an annotator's errors: the same wrong label on the same rows, against chance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, Floats


class Excess(NamedTuple):
    """Of each run: the share of the annotator's errors that it repeats, and what chance repeats, (R,) each.

    influences (R, N): delete-one values of their difference.
    """

    repeated: Floats
    chance: Floats
    influences: Floats


def errors_of(gold: Codes, given: Codes) -> NDArray[np.bool_]:
    """Rows, (N,), with a label that is not gold; a row without a label is no error that can be repeated."""
    return np.asarray((given != NO_LABEL) & (given != gold))


def repeats_beyond_chance(gold: Codes, given: Codes, runs: Codes, classes: int) -> Excess:
    """How often runs give the annotator's wrong label on the rows where it is wrong, less what chance would give.

    gold, given (N,), -1 for no label; runs (R, N); at least two rows are wrong.  Chance is what a run with the same
    confusion matrix repeats when, given gold, it is independent of the annotator:

      chance = 1/W sum over wrong rows i of n(gold_i, predicted as given_i) / n(gold_i)

    W: the wrong rows; n: the run's counts on all rows.  It is 1/W sum_g S_g / n_g, S_g = sum_k w_gk m_gk: w the
    annotator's errors, m the run's predictions.  Without row i only the class of i differs, which gives delete-one
    values in closed form.
    """
    rows, wrong = len(gold), errors_of(gold, given)
    number = int(wrong.sum())
    size = np.bincount(gold, minlength=classes)
    errors = _table(gold[wrong], given[wrong], classes)
    shares, chances, influences = [], [], np.empty(runs.shape)
    for place, run in enumerate(runs):
        predicted = _table(gold, run, classes)
        sums = (errors * predicted).sum(axis=1)
        expected = float((sums[size > 0] / size[size > 0]).sum())
        repeated = wrong & (run == given)
        hits = int(repeated.sum())
        # the sum of the row's class without it: its label and its prediction leave one row and one column each
        left = sums[gold] - np.where(wrong, predicted[gold, given], 0) - errors[gold, run] + repeated
        without = expected - sums[gold] / size[gold] + left / np.maximum(size[gold] - 1, 1)
        of_others = (hits - repeated - without) / (number - wrong)
        shares.append(hits / number)
        chances.append(expected / number)
        influences[place] = (rows - 1) * ((hits - expected) / number - of_others)
    return Excess(np.array(shares), np.array(chances), influences)


def error_consistency(counts: NDArray[Any]) -> Floats:
    """Kappa of being right: counts (..., 2, 3) of annotator wrong, right (rows) and student wrong, right -> (...).

    (observed - expected) / (1 - expected), observed: both right or both wrong; expected: the same of two that are right
    on as many rows each, independently.  nan where both are always right, or always wrong.  Geirhos, Meding & Wichmann,
    "Beyond Accuracy: Quantifying Trial-by-Trial Behaviour of CNNs and Humans by Measuring Error Consistency" (2020).
    """
    table = counts[..., :2].astype(np.float64)
    rows = table.sum(axis=(-2, -1))
    observed = np.trace(table, axis1=-2, axis2=-1) / rows
    expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / rows**2
    result: Floats = np.full(np.shape(observed), np.nan)
    np.divide(observed - expected, 1 - expected, out=result, where=expected < 1)
    return result


def transitions(gold: Codes, given: Codes, runs: Codes, classes: int) -> Floats:
    """What runs say, by gold class and the annotator's label: (R, K, K + 1, K) counts; the last label is none."""
    label = np.where(given == NO_LABEL, classes, given)
    cells = (gold * (classes + 1) + label) * classes
    size = classes * (classes + 1) * classes
    counts = [np.bincount(cells + run, minlength=size).reshape(classes, classes + 1, classes) for run in runs]
    return np.stack(counts).astype(np.float64)


def _table(one: Codes, other: Codes, classes: int) -> NDArray[np.int64]:
    return np.bincount(one * classes + other, minlength=classes**2).reshape(classes, classes)
