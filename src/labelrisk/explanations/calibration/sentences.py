"""What calibration says in sentences."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from labelrisk.comparison.verdicts import bounds, points
from labelrisk.explanations.calibration.systems import ANNOTATOR, STUDENTS, VOTE, Calibrations, System
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import NAMED, over_rows_and_seeds, percent_level, reference_first, short
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval

TABLE = "calibration.csv"


def rms(squared: Interval) -> Interval:
    """The root of a mean square and of its bounds; 0 where these are below."""
    root = [math.sqrt(max(value, 0.0)) for value in squared[:3]]
    return squared._replace(estimate=root[0], low=root[1], high=root[2])


def calibration_sentences(evidence: Evidence, found: Calibrations) -> list[str]:
    """Students, their votes, annotators; then what temperatures do, and what could not be told."""
    reference = evidence.study.settings.evaluate.reference
    by_kind = {kind: [one for one in found.systems if one.kind == kind] for kind in (STUDENTS, VOTE, ANNOTATOR)}
    return [
        *_students(evidence, found, by_kind[STUDENTS]),
        *_against_reference(evidence, found),
        _errors(reference, by_kind[STUDENTS]),
        *_votes(reference, found, by_kind[VOTE]),
        *(_annotator(one) for one in by_kind[ANNOTATOR]),
        *_temperatures(evidence, by_kind),
        *_silent(found),
    ]


def _silent(found: Calibrations) -> list[str]:
    names = short(found.silent, "labels/", between=", ")
    return [f"Without probabilities of enough test rows to tell: {names}."] if found.silent else []


def _students(evidence: Evidence, found: Calibrations, students: Sequence[System]) -> list[str]:
    reference = evidence.study.settings.evaluate.reference
    one = next(one for one in students if one.name == reference)
    off = bounds(one.as_is.measures["overconfidence"])
    says = [
        f"Students of {reference}, the reference, are {points(one.as_is.values.confidence)} % sure of their labels on "
        f"average and right on {points(one.as_is.values.accuracy)} % of the test rows: confidence minus accuracy is "
        f"{off} points ({percent_level(evidence.study.settings.evaluate.confidence)} intervals throughout, "
        f"{over_rows_and_seeds(evidence.study)})."
    ]
    level = 1 - evidence.study.settings.evaluate.confidence
    over = {name: of for name, of in found.overconfidence.items() if of.p_different < level and of.estimate > 0}
    under = {name: of for name, of in found.overconfidence.items() if of.p_different < level and of.estimate < 0}
    if over:
        says.append(f"Surely overconfident (Holm over the sources) are students of {_with_bounds(over, reference)}.")
    if under:
        says.append(f"Surely less confident than they are right are students of {_with_bounds(under, reference)}.")
    if not over and not under:
        says.append("Of no source are students surely over- or underconfident (Holm over the sources).")
    return says


def _with_bounds(found: Mapping[str, Contrast], reference: str) -> str:
    """Names with their differences, the largest first behind the reference."""
    order = reference_first(found, reference, lambda name: abs(found[name].estimate))
    return _short(reference, order, [f"{name}, by {bounds(found[name])} points" for name in order])


def _short(reference: str, names: Collection[str], parts: Sequence[str]) -> str:
    return short(parts, TABLE, NAMED + (reference in names))


def _ordered(reference: str, some: Sequence[System], measure: str) -> list[System]:
    """The reference first, then those with the largest values."""
    by_name = {one.name: one for one in some}
    size = {name: abs(one.as_is.measures[measure].estimate) for name, one in by_name.items()}
    return [by_name[name] for name in reference_first(by_name, reference, size.__getitem__)]


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
                f"students of {_with_bounds(which, reference)}."
            )
    if unsure:
        alike = _with_bounds(unsure, reference)
        says.append(f"Not told apart from {reference} in overconfidence are students of {alike}.")
    return says


def _errors(reference: str, students: Sequence[System]) -> str:
    parts = [
        f"{one.name} {_unsigned(rms(one.as_is.measures['squared_error']))} (plain ECE "
        f"{points(one.as_is.values.plain)}, of which chance alone would make {points(one.as_is.values.by_chance)})"
        for one in _ordered(reference, students, "squared_error")
    ]
    names = [one.name for one in students]
    return (
        "What the confidence of a student's label is off by in points, as a root mean square over bins of confidence "
        f"without what chance adds: {_short(reference, names, parts)}."
    )


def _unsigned(found: Interval) -> str:
    return f"{points(found.estimate)} [{points(found.low)}, {points(found.high)}]"


def _votes(reference: str, found: Calibrations, votes: Sequence[System]) -> list[str]:
    if not votes:
        return ["With one seed there is no vote of seeds to calibrate."]
    parts = [
        f"{one.name} {bounds(one.as_is.measures['overconfidence'])}, which is {bounds(found.by_voting[one.name])} "
        "against its students"
        for one in _ordered(reference, votes, "overconfidence")
    ]
    told = _short(reference, [one.name for one in votes], parts)
    return [f"Confidence minus accuracy of the mean probabilities of all seeds, over rows: {told}."]


def _annotator(one: System) -> str:
    values, measures = one.as_is.values, one.as_is.measures
    return (
        f"The annotator {one.name} is {points(values.confidence)} % sure on average and right on "
        f"{points(values.accuracy)} % of the {one.rows:,} test rows with probabilities: confidence minus accuracy "
        f"{bounds(measures['overconfidence'])} points, calibration error {_unsigned(rms(measures['squared_error']))}."
    )


def _temperatures(evidence: Evidence, by_kind: Mapping[str, Sequence[System]]) -> list[str]:
    """What one temperature for each run changes, and where none could be fitted; of votes the table tells."""
    reference, least = evidence.study.settings.evaluate.reference, evidence.settings.calibration.validation_rows
    says = []
    for kind, who in ((STUDENTS, "students of "), (ANNOTATOR, "the annotator ")):
        fitted = [one for one in by_kind[kind] if one.temperature is not None]
        if fitted:
            parts = [who + _tempered(one) for one in _ordered(reference, fitted, "overconfidence")]
            told = _short(reference, [one.name for one in fitted], parts)
            rows = min(one.validation_rows for one in fitted)
            says.append(f"Temperatures fitted on {rows:,} validation rows with gold or more: {told}.")
        if without := [one for one in by_kind[kind] if one.temperature is None]:
            names = short([one.name for one in without], TABLE, between=", ")
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
