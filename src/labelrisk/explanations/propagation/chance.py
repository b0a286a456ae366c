"""Systematic or random errors: what as many errors at random cost, and whether the text tells where they fall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelrisk.comparison.study import Study
from labelrisk.comparison.systems import macro_f1_variances
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.annotator_errors import FEWEST, AnnotatorErrors
from labelrisk.repairs.heads import FOLDS, folds_of, head_probabilities
from labelrisk.sources.controls import noise_twin
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.gap_shares import share_of_gap
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.predictability import cross_fitted_auc


class RandomCost(NamedTuple):
    """Macro-F1 that gold's students are ahead of those of a source, and of those of its noise control.

    share: the latter over the former; None where the former is not surely above 0.
    """

    twin: str
    gap: Interval
    twin_gap: Interval
    share: Interval | None


class Predictability(NamedTuple):
    """How well a head on vectors tells the annotator's errors from its right labels, on train rows it has not seen.

    auc: over all rows; within: among rows of one gold class.
    """

    rows: int
    errors: int
    auc: Interval
    within: Interval


def random_cost(study: Study, of: AnnotatorErrors, source: str) -> RandomCost | None:
    """Of labels as they are; None without a noise control or a source of gold.

    (gold - noise) / (gold - plain) is 1 minus the share of plain's gap that the noise control closes.
    """
    twin = noise_twin(study.settings.sources, source)
    if twin is None or of.gold is None:
        return None
    variances, confidence = macro_f1_variances(study), study.settings.evaluate.confidence
    gap = variances.difference(of.gold, source, confidence)
    share = None
    if gap.low > 0:
        closed = share_of_gap(variances, twin, source, of.gold, confidence)
        share = closed._replace(estimate=1 - closed.estimate, low=1 - closed.high, high=1 - closed.low)
    return RandomCost(twin, gap, variances.difference(of.gold, twin, confidence), share)


def predictability(evidence: Evidence, annotator: str) -> Predictability | None:
    """From vectors of train rows with gold and a label, cross-fitted; None where FEWEST are not wrong, or not right.

    Gold says which rows are errors, and the classes within which rows are compared; the head sees neither.
    """
    train, settings = evidence.train, evidence.settings.propagation
    if annotator not in evidence.on_train:
        return None
    labels = evidence.on_train[annotator].codes
    generator = np.random.default_rng(settings.seed)
    rows = np.flatnonzero((labels != NO_LABEL) & (train.gold != NO_LABEL))
    if len(rows) > settings.head_rows:
        rows = np.sort(generator.choice(rows, settings.head_rows, replace=False))
    gold, wrong = train.gold[rows], labels[rows] != train.gold[rows]
    if min(wrong.sum(), (~wrong).sum()) < FEWEST:
        return None
    fold = folds_of(2 * gold + wrong, generator)
    scores, vectors = np.empty(len(rows)), train.vectors[rows]
    for one in range(FOLDS):
        held = fold == one
        scores[held] = head_probabilities(vectors[~held], wrong[~held].astype(np.int64), 2, vectors[held])[:, 1]
    confidence, classes = evidence.study.settings.evaluate.confidence, len(evidence.study.classes)
    return Predictability(
        rows=len(rows),
        errors=int(wrong.sum()),
        auc=cross_fitted_auc(scores, wrong, fold, confidence),
        within=cross_fitted_auc(scores, wrong, fold * classes + gold, confidence),
    )
