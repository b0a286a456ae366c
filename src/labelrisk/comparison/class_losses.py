"""Recall and F1 of each class by source, what is lost of them, and classes that a source never predicts."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from labelrisk.comparison.study import Study
from labelrisk.comparison.systems import variances
from labelrisk.statistics.contrasts import holm, p_below
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.metrics import f1_of, recall_of


class ClassLoss(NamedTuple):
    """One class of one source: recall and F1, recall minus the reference's, shares of rows; is it lost?

    predicted, true: shares of the test rows.  lost: recall falls by more than the margin for sure, over all classes
    of the source.
    """

    recall: Interval
    f1: Interval
    recall_difference: Interval
    predicted: float
    true: float
    lost: bool


@lru_cache(maxsize=1)
def class_losses(study: Study) -> dict[str, dict[str, ClassLoss]]:
    """By source and class; classes that gold never has in test are left out, for their recall is unknown."""
    how = study.settings.evaluate
    present = np.unique(study.test.gold)
    parts: dict[str, dict[int, tuple[Interval, Interval, Interval]]] = {source: {} for source in study.students}
    for code in present:
        recalls, f1s = (variances(study, metric(int(code)), with_single=False) for metric in (recall_of, f1_of))
        for source, of_class in parts.items():
            of_class[int(code)] = (
                recalls.mean(source, how.confidence),
                f1s.mean(source, how.confidence),
                recalls.difference(source, how.reference, how.confidence),
            )
    found: dict[str, dict[str, ClassLoss]] = {}
    for source, of_class in parts.items():
        p = holm([p_below(difference, -how.class_margin) for _, _, difference in of_class.values()])
        students = study.students[source]
        found[source] = {
            study.classes[code]: ClassLoss(
                *intervals,
                predicted=float(np.mean(students.predictions == code)),
                true=float(np.mean(study.test.gold == code)),
                lost=source != how.reference and bool(adjusted < 1 - how.confidence),
            )
            for (code, intervals), adjusted in zip(of_class.items(), p, strict=True)
        }
    return found


def weakest_class(losses: dict[str, ClassLoss]) -> str:
    """The class that loses most recall against the reference; of equals, as for the reference itself, the lowest."""
    return min(losses, key=lambda name: (losses[name].recall_difference.estimate, losses[name].recall.estimate))
