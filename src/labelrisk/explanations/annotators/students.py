"""Annotators beside the students of their labels as they are: does a better annotator make a better student?"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from labelrisk.comparison.claims.contract import cases
from labelrisk.comparison.study import Study
from labelrisk.comparison.systems import macro_f1_variances
from labelrisk.explanations.annotators.pairs import compared
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.contrasts import Contrast, decide
from labelrisk.statistics.intervals import Interval, rows_interval
from labelrisk.statistics.scores import Floats, macro_f1
from labelrisk.statistics.shares import Share, wilson

FEWEST = 3  # annotators: of two, any order is perfect


class Taught(NamedTuple):
    """An annotator and the source of its labels as they are.

    accuracy: of its labels of train rows with gold, of which students learned; None without any.  annotator_f1: of its
    own test labels, None without any.
    """

    annotator: str
    source: str
    labelled: int
    accuracy: Share | None
    annotator_f1: float | None
    student_f1: Interval


class TaughtPair(NamedTuple):
    """Two annotators: one minus the other in the accuracy of train labels, and in macro-F1 of their students.

    Both decided by Holm over all pairs.  accuracy is None where one has no train label beside gold.
    """

    one: str
    other: str
    accuracy: Contrast | None
    student_f1: Contrast

    @property
    def order(self) -> str:
        """'same', 'opposite', or 'not decided' where one of the two differences is not surely other than 0."""
        signs = [_sign(of) for of in (self.accuracy, self.student_f1)]
        return "not decided" if 0 in signs else "same" if signs[0] == signs[1] else "opposite"


def _sign(of: Contrast | None) -> int:
    return 0 if of is None or of.decision not in ("better", "worse") else 1 if of.estimate > 0 else -1


def taught(study: Study) -> list[Taught]:
    """All annotators and panels but gold that have a source with their labels as they are."""
    how, on_train = study.settings.evaluate, compared(study, "train")
    found = []
    for case in cases(study):
        counts = on_train[case.annotator].counts[:, :-1] if case.annotator in on_train else np.zeros((1, 1), dtype=int)
        labelled, right = int(counts.sum()), int(np.trace(counts))
        direct = study.annotators_used_directly.get(case.annotator)
        found.append(
            Taught(
                annotator=case.annotator,
                source=case.plain,
                labelled=labelled,
                accuracy=wilson(right, labelled, how.confidence) if labelled else None,
                annotator_f1=None if direct is None else float(macro_f1(direct.counts)),
                student_f1=macro_f1_variances(study).mean(case.plain, how.confidence),
            )
        )
    return found


def taught_pairs(study: Study, found: list[Taught]) -> list[TaughtPair]:
    """All pairs of these annotators."""
    how = study.settings.evaluate
    pairs = list(combinations(found, 2))
    known = [place for place, (one, other) in enumerate(pairs) if min(one.labelled, other.labelled) > 1]
    accuracies = [_accuracy_difference(study, pairs[place][0].annotator, pairs[place][1].annotator) for place in known]
    of_accuracy = dict(zip(known, decide(accuracies, 0.0, how.confidence), strict=True))
    f1 = [macro_f1_variances(study).difference(one.source, other.source, how.confidence) for one, other in pairs]
    of_f1 = decide(f1, 0.0, how.confidence)
    return [
        TaughtPair(one.annotator, other.annotator, of_accuracy.get(place), of_f1[place])
        for place, (one, other) in enumerate(pairs)
    ]


def rank_correlation(found: list[Taught]) -> float | None:
    """Spearman's correlation of annotators' accuracy and students' mean macro-F1; None for fewer than three annotators
    of known accuracy, and where all are equal in one of the two.
    """
    from scipy.stats import spearmanr

    pairs = [(one.accuracy.share, one.student_f1.estimate) for one in found if one.accuracy is not None]
    if len(pairs) < FEWEST or any(len(set(of)) == 1 for of in zip(*pairs, strict=True)):
        return None
    accuracy, f1 = zip(*pairs, strict=True)
    return float(spearmanr(accuracy, f1).statistic)


def _accuracy_difference(study: Study, one: str, other: str) -> Interval:
    """Accuracy of the labels that were given, paired on the train rows with gold, whoever of the two labelled them."""
    estimates, influences = [], []
    for name in (one, other):
        codes = study.annotators_on_train[name].codes
        labelled = codes != NO_LABEL
        estimates.append(float((codes == study.train.gold)[labelled].mean()))
        of_rows: Floats = ((codes == study.train.gold) - estimates[-1]) * labelled / labelled.mean()
        influences.append(of_rows)
    return rows_interval(estimates[0] - estimates[1], np.subtract(*influences), study.settings.evaluate.confidence)
