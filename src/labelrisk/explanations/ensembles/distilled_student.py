"""The one student that learned what the chosen ensemble says, beside that ensemble and its single students."""

from __future__ import annotations

from typing import NamedTuple

from labelrisk.explanations.ensembles.pools import NOTHING, Pool
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Interval, rows_interval
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.scores import Codes, Floats, accuracy, confusion, macro_f1
from labelrisk.statistics.shares import Share, wilson
from labelrisk.statistics.votes import soft_vote


class Distilled(NamedTuple):
    """It has one seed, as the ensemble has one set of seeds: intervals are about other test rows and these students.

    over_vote, over_mean: its macro-F1 minus that of the ensemble's vote, and minus the mean of its students'; same:
    share of test rows on which it says what the ensemble says; instead_of: students that the ensemble asks.
    """

    ensemble: str
    instead_of: int
    macro_f1: Interval
    accuracy: Interval
    over_vote: Interval
    over_mean: Interval
    same: Share


def distilled_student(evidence: Evidence, pool: Pool) -> Distilled | None:
    """pool: the chosen ensemble, which it learned from; None where none was trained."""
    if evidence.distilled is None:
        return None
    study, confidence = evidence.study, evidence.study.settings.evaluate.confidence
    gold = study.test.gold
    own = evidence.distilled.of_split("test", study.test.ids).argmax(axis=-1)
    vote = soft_vote(pool.together())
    score, of_own = _scored(gold, own, pool.classes, macro_f1)
    of_vote_score, of_vote = _scored(gold, vote, pool.classes, macro_f1)
    mean = pool.runs("mean student", macro_f1, NOTHING)
    right, of_right = _scored(gold, own, pool.classes, accuracy)
    return Distilled(
        ensemble=pool.name,
        instead_of=pool.size,
        macro_f1=rows_interval(score, of_own, confidence),
        accuracy=rows_interval(right, of_right, confidence),
        over_vote=rows_interval(score - of_vote_score, of_own - of_vote, confidence),
        over_mean=rows_interval(score - float(mean.scores.mean()), of_own - mean.influences.mean(axis=0), confidence),
        same=Share(*wilson(int((own == vote).sum()), len(own), confidence)),
    )


def _scored(gold: Codes, said: Codes, classes: int, metric: Metric) -> tuple[float, Floats]:
    counts = confusion(gold, said, classes)
    return float(metric(counts)), row_influences(gold, said[None], counts[None], metric)[0]
