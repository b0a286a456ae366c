"""Look-alike train rows: what students say where most labels of the texts that look alike were wrong, or right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.annotator_errors import FEWEST, AnnotatorErrors
from labelrisk.explanations.propagation.repeated_errors import UNKNOWN, Compared, compared_shares
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.intervals import Component, Interval, t_interval
from labelrisk.statistics.look_alikes import nearest_rows
from labelrisk.statistics.scores import Codes, Floats

HALF = 0.5


class Neighbourhoods(NamedTuple):
    """Of each test row: the share of its look-alike train rows whose label is not gold, (N,).

    of_sources: by source, of the labels that it learned from (its first seed); of_annotators: of its labels as they
    are.  None where no train row has gold and a label.
    """

    of_sources: dict[str, Floats | None]
    of_annotators: dict[str, Floats | None]


class LookAlikes(NamedTuple):
    """Of a source: test rows whose look-alikes have mostly wrong, and mostly right labels, and what becomes of them.

    corrected: the share of the former on which the student is right; invented: of the latter on which it is wrong.
    """

    wrong_rows: int
    right_rows: int
    corrected: Compared
    invented: Compared


class LookAlikeRates(NamedTuple):
    """How often the annotator errs on look-alikes of test rows on which it is wrong, and right; the difference."""

    of_wrong: Interval
    of_right: Interval
    difference: Interval


def neighbourhoods(evidence: Evidence, errors: list[AnnotatorErrors]) -> Neighbourhoods:
    """Of all sources that are about these annotators; those with labels of the same rows have the same look-alikes."""
    known: dict[bytes, NDArray[np.int64]] = {}
    train, given, how = evidence.train, evidence.on_train, evidence.settings.propagation
    drawn = np.flatnonzero(train.gold != NO_LABEL)
    if len(drawn) > how.train_rows:
        drawn = np.sort(np.random.default_rng(how.seed).choice(drawn, how.train_rows, replace=False))
    gold, vectors = train.gold[drawn], train.vectors[drawn]

    def wrong_share(every: Codes) -> Floats | None:
        labels = every[drawn]
        usable = np.flatnonzero(labels != NO_LABEL)
        if not len(usable):
            return None
        key = usable.tobytes()
        if key not in known:
            known[key] = usable[nearest_rows(evidence.rows["test"].vectors, vectors[usable], how.neighbours)]
        wrong = labels != gold
        return np.asarray(wrong[known[key]].mean(axis=1))

    def learned(source: str) -> Codes:
        return evidence.study.training_rows[source].of_all(len(train.ids))

    return Neighbourhoods(
        {source: wrong_share(learned(source)) for of in errors for source in of.sources},
        {of.annotator: wrong_share(given[of.annotator].codes) if of.annotator in given else None for of in errors},
    )


def look_alikes_of(evidence: Evidence, of: AnnotatorErrors, source: str, shares: Floats | None,
                   rows: NDArray[np.int64] | None = None) -> LookAlikes:  # fmt: skip
    """Of one source, from its shares of Neighbourhoods; rows: positions of the test rows that count, all if not given.

    Half of the look-alikes wrong is neither mostly wrong nor mostly right.
    """
    nothing = Compared(UNKNOWN, UNKNOWN, UNKNOWN)
    if shares is None:
        return LookAlikes(0, 0, nothing, nothing)
    rows = np.arange(len(shares)) if rows is None else rows
    wrong, right = rows[shares[rows] > HALF], rows[shares[rows] < HALF]
    study = evidence.study
    alone = AnnotatorErrors(
        annotator=of.annotator, given=of.given, wrong=of.wrong, right=of.right,
        sources={source: of.sources[source]}, gold=of.gold,
    )  # fmt: skip
    runs = {name: study.students[name].predictions for name in alone.compared}
    corrected = {name: run[:, wrong] == study.test.gold[wrong] for name, run in runs.items()}
    invented = {name: run[:, right] != study.test.gold[right] for name, run in runs.items()}
    return LookAlikes(
        len(wrong),
        len(right),
        compared_shares(study, alone, corrected)[source],
        compared_shares(study, alone, invented)[source],
    )


def look_alike_rates(of: AnnotatorErrors, shares: Floats | None, confidence: float) -> LookAlikeRates:
    """From the annotator's shares of Neighbourhoods; over test rows, for the train rows are what they are."""
    if shares is None or min(of.wrong.sum(), of.right.sum()) < FEWEST:
        return LookAlikeRates(UNKNOWN, UNKNOWN, UNKNOWN)
    parts = [shares[of.wrong], shares[of.right]]
    means = [float(part.mean()) for part in parts]
    errors = [Component.chi_square(float(part.var(ddof=1)) / len(part), len(part) - 1) for part in parts]
    return LookAlikeRates(
        t_interval(means[0], errors[:1], confidence),
        t_interval(means[1], errors[1:], confidence),
        t_interval(means[0] - means[1], errors, confidence),  # Welch (1947)
    )
