"""What calibration says in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from labelrisk.comparison.verdicts import bounds, points
from labelrisk.explanations.calibration.systems import ANNOTATOR, STUDENTS, VOTE, Calibrations, System
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval

LISTED = 12  # sources that a sentence lists; the table has all


def rms(squared: Interval) -> Interval:
    """The root of a mean square and of its bounds; 0 where these are below."""
    root = [math.sqrt(max(value, 0.0)) for value in squared[:3]]
    return squared._replace(estimate=root[0], low=root[1], high=root[2])


def calibration_sentences(evidence: Evidence, found: Calibrations) -> list[str]:
    """Students, their votes, annotators; then what temperatures do, and what could not be told."""
    by_kind = {kind: [one for one in found.systems if one.kind == kind] for kind in (STUDENTS, VOTE, ANNOTATOR)}
    return [
        *_students(evidence, found, by_kind[STUDENTS]),
        *_against_reference(evidence, found),
        _errors(by_kind[STUDENTS]),
        *_votes(found, by_kind[VOTE]),
        *(_annotator(one) for one in by_kind[ANNOTATOR]),
        *_temperatures(evidence, by_kind),
        *([f"Without probabilities of enough test rows to tell: {listed(found.silent)}."] if found.silent else []),
    ]


def listed(parts: Sequence[str]) -> str:
    """Parts in a row, the first few of many."""
    more = f"; and {len(parts) - LISTED} more" if len(parts) > LISTED else ""
    return "; ".join(parts[:LISTED]) + more


def _students(evidence: Evidence, found: Calibrations, students: Sequence[System]) -> list[str]:
    reference = evidence.study.settings.evaluate.reference
    one = next(one for one in students if one.name == reference)
    percent = f"{100 * evidence.study.settings.evaluate.confidence:g}"
    off = bounds(one.as_is.measures["overconfidence"])
    says = [
        f"Students of {reference}, the reference, are {points(one.as_is.values.confidence)} % sure of their labels on "
        f"average and right on {points(one.as_is.values.accuracy)} % of the test rows: confidence minus accuracy is "
        f"{off} points ({percent} % intervals throughout, over rows and seeds)."
    ]
    level = 1 - evidence.study.settings.evaluate.confidence
    over = {name: of for name, of in found.overconfidence.items() if of.p_different < level and of.estimate > 0}
    under = {name: of for name, of in found.overconfidence.items() if of.p_different < level and of.estimate < 0}
    if over:
        says.append(f"Surely overconfident (Holm over the sources) are students of {_with_bounds(over)}.")
    if under:
        says.append(f"Surely less confident than they are right are students of {_with_bounds(under)}.")
    if not over and not under:
        says.append("Of no source are students surely over- or underconfident (Holm over the sources).")
    return says


def _with_bounds(found: Mapping[str, Contrast]) -> str:
    """Names with their differences, the largest first."""
    order = sorted(found, key=lambda name: -abs(found[name].estimate))
    return listed([f"{name}, by {bounds(found[name])} points" for name in order])


def _against_reference(evidence: Evidence, found: Calibrations) -> list[str]:
    """Which sources' students are more, and which less, overconfident than the reference's."""
    reference = evidence.study.settings.evaluate.reference
    level = 1 - evidence.study.settings.evaluate.confidence
    if not found.against_reference:
        return []
    sure = {name: one for name, one in found.against_reference.items() if one.p_different < level}
    unsure = {name: one for name, one in found.against_reference.items() if name not in sure}
    says = []
    for more, word in ((True, "more"), (False, "less")):
        if which := {name: one for name, one in sure.items() if (one.estimate > 0) == more}:
            says.append(
                f"Surely {word} overconfident than those of {reference}, on the same rows (Holm over all sources), are "
                f"students of {_with_bounds(which)}."
            )
    if unsure:
        says.append(f"Not told apart from {reference} in overconfidence are students of {_with_bounds(unsure)}.")
    return says


def _errors(students: Sequence[System]) -> str:
    parts = [
        f"{one.name} {_unsigned(rms(one.as_is.measures['squared_error']))} (plain ECE "
        f"{points(one.as_is.values.plain)}, of which chance alone would make {points(one.as_is.values.by_chance)})"
        for one in students
    ]
    return (
        "What the confidence of a student's label is off by in points, as a root mean square over bins of confidence "
        f"without what chance adds: {listed(parts)}."
    )


def _unsigned(found: Interval) -> str:
    return f"{points(found.estimate)} [{points(found.low)}, {points(found.high)}]"


def _votes(found: Calibrations, votes: Sequence[System]) -> list[str]:
    if not votes:
        return ["With one seed there is no vote of seeds to calibrate."]
    parts = [
        f"{one.name} {bounds(one.as_is.measures['overconfidence'])}, which is {bounds(found.by_voting[one.name])} "
        "against its students"
        for one in votes
    ]
    return [f"Confidence minus accuracy of the mean probabilities of all seeds, over rows: {listed(parts)}."]


def _annotator(one: System) -> str:
    values, measures = one.as_is.values, one.as_is.measures
    return (
        f"The annotator {one.name} is {points(values.confidence)} % sure on average and right on "
        f"{points(values.accuracy)} % of the {one.rows:,} test rows with probabilities: confidence minus accuracy "
        f"{bounds(measures['overconfidence'])} points, calibration error {_unsigned(rms(measures['squared_error']))}."
    )


def _temperatures(evidence: Evidence, by_kind: Mapping[str, Sequence[System]]) -> list[str]:
    """What one temperature for each run changes, and where none could be fitted; of votes the table tells."""
    least = evidence.settings.calibration.validation_rows
    says = []
    for kind, who in ((STUDENTS, "students of "), (ANNOTATOR, "the annotator ")):
        fitted = [one for one in by_kind[kind] if one.temperature is not None]
        if fitted:
            parts = [who + _tempered(one) for one in fitted]
            rows = min(one.validation_rows for one in fitted)
            says.append(f"Temperatures fitted on {rows:,} validation rows with gold or more: {listed(parts)}.")
        if without := [one for one in by_kind[kind] if one.temperature is None]:
            names = listed([one.name for one in without])
            most = max(one.validation_rows for one in without)
            says.append(
                f"No temperature could be fitted for {who}{names}: {most:,} validation rows have gold and "
                f"probabilities, and it takes {least:,}."
            )
    return says


def _tempered(one: System) -> str:
    heat, change, state = one.temperature, one.changes["log_loss"], one.tempered
    assert heat is not None
    assert state is not None
    off = bounds(state.measures["overconfidence"])
    at = f"{heat.estimate:.2f}"
    at += (
        " (at the bound of what was tried, or anything would do)"
        if np.isnan(heat.low)
        else (f" [{heat.low:.2f}, {heat.high:.2f}]")
    )
    return (
        f"{one.name} {at}, which changes log loss by {change.estimate:+.3f} [{change.low:+.3f}, {change.high:+.3f}] "
        f"and leaves confidence minus accuracy at {off} points"
    )
