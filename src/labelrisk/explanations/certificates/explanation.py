"""certificates: how often answers to new rows are wrong at most, and where to answer so that few of them are.

docs/explanations/certificates.md says what each number promises, and how often the promises were kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from labelrisk.comparison.outputs import Picture
from labelrisk.explanations.certificates.certified_answers import answers_of, slices_large_enough
from labelrisk.explanations.certificates.certified_sets import set_scores
from labelrisk.explanations.certificates.certified_use import Certificate, certificates_of
from labelrisk.explanations.certificates.picture import Panel, draw_certificates
from labelrisk.explanations.certificates.sentences import sentences
from labelrisk.explanations.certificates.tables import as_json, error_rows, set_rows, slice_rows, threshold_rows
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import with_level
from labelrisk.statistics.certificates import upper_bound
from labelrisk.statistics.selective_use import risk_curve

LEAST, POINTS = 10, 200  # rows at the start of a curve, and its points


def certificates(evidence: Evidence) -> Explanation:
    """Bounds of the error, thresholds for selective use, both also by slice, and prediction sets, all on test rows."""
    settings, study = evidence.settings.certificates, evidence.study
    confidence = settings.confidence or study.settings.evaluate.confidence
    risk, gold = settings.risk, study.test.gold
    found = certificates_of(answers_of(evidence), slices_large_enough(evidence), risk, confidence)
    votes = {one.answers.name: one for one in found if one.answers.kind == "vote"}
    sets = {name: set_scores(one.answers, gold, risk, confidence, settings.seed) for name, one in votes.items()}
    direct = {one.answers.name: one for one in found if one.answers.kind == "annotator"}
    tables = {
        "": error_rows(found, study.settings.seeds),
        "thresholds": threshold_rows(found, confidence),
        "slices": slice_rows(found),
        "sets": set_rows(sets, study.classes),
    }
    return Explanation(
        says=with_level(
            sentences(found, sets, study.classes, risk, confidence, study.settings.evaluate.reference),
            confidence,
            "over rows alone",
        ),
        metrics={
            "risk": risk,
            "confidence": confidence,
            "rows": len(gold),
            "sources": {name: as_json(one, sets[name], confidence) for name, one in votes.items()},
            "annotators": {name: as_json(one, (), confidence) for name, one in direct.items()},
        },
        tables={name: table for name, table in tables.items() if len(table)},
        pictures=_pictures(found, risk, confidence),
    )


def _pictures(found: Sequence[Certificate], risk: float, confidence: float) -> dict[str, Picture]:
    panels = [panel for one in found if (panel := _panel(one, confidence)) is not None]
    return {"": partial(draw_certificates, panels=panels, risk=risk, confidence=confidence)} if panels else {}


def _panel(one: Certificate, confidence: float) -> Panel | None:
    if one.use is None or one.answers.sure is None:
        return None
    answered, errors = risk_curve(one.answers.sure, one.answers.wrong, LEAST, POINTS)
    if not len(answered):
        return None
    title = one.answers.name if one.answers.kind == "vote" else f"annotator {one.answers.name}"
    point = None if one.use.answered is None or one.use.error is None else (one.use.answered.share, one.use.error)
    bounds = upper_bound(errors, answered, confidence)
    return Panel(title, answered / len(one.answers.wrong), errors / answered, bounds, point)
