"""All that gives probabilities of the test rows, with its calibration: students, votes of their seeds, annotators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from labelrisk.explanations.calibration.measures import (
    Runs,
    Temperatures,
    Values,
    changes,
    intervals,
    mean_temperatures,
    temperatures_of,
    values_of,
    variances,
)
from labelrisk.explanations.evidence import Evidence, Given
from labelrisk.statistics.contrasts import ROUNDING, Contrast, decide
from labelrisk.statistics.intervals import Interval, rows_interval
from labelrisk.statistics.scores import Codes
from labelrisk.statistics.votes import mean_probabilities

STUDENTS, VOTE, ANNOTATOR = "students", "vote of seeds", "annotator"


class State(NamedTuple):
    """Probabilities as they are, or at a temperature: intervals by measure, and the rest of their Values."""

    measures: Mapping[str, Interval]
    values: Values


class System(NamedTuple):
    """One that gives probabilities of `rows` test rows.

    tempered, temperature: None where none was fitted; changes: of measures, by the temperature; validation_rows: with
    gold that it was fitted on, or could have been.
    """

    name: str
    kind: str
    rows: int
    as_is: State
    tempered: State | None
    temperature: Interval | None
    changes: Mapping[str, Interval]
    validation_rows: int


class Calibrations(NamedTuple):
    """All systems.  By source: overconfidence, Holm over the sources; against the reference's, Holm over these; and the
    vote's minus that of its students.  silent: annotators without probabilities of enough rows to tell.
    """

    systems: list[System]
    overconfidence: Mapping[str, Contrast]
    against_reference: Mapping[str, Contrast]
    by_voting: Mapping[str, Interval]
    silent: list[str]


def calibrations(evidence: Evidence) -> Calibrations:
    """The calibration of all that gives probabilities."""
    study = evidence.study
    how, level = evidence.settings.calibration, study.settings.evaluate.confidence
    gold, validation = study.test.gold, study.validation.gold
    students = {name: Runs(of.probabilities, of.validation) for name, of in study.students.items()}
    values, systems = _measured(evidence, STUDENTS, students, gold, validation)
    by_voting = {}
    if len(study.settings.seeds) > 1:
        for name, runs in students.items():
            vote = Runs(mean_probabilities(runs.test)[None], mean_probabilities(runs.validation)[None])
            of_vote, found = _measured(evidence, VOTE, {name: vote}, gold, validation)
            systems += found
            moved = of_vote[name].influences["overconfidence"][0].astype(np.float64)
            moved -= values[name].influences["overconfidence"].mean(axis=0, dtype=np.float64)
            change = of_vote[name].scores["overconfidence"].mean() - values[name].scores["overconfidence"].mean()
            by_voting[name] = rows_interval(float(change), moved, level)
    silent = []
    for name, given in evidence.given["test"].items():
        test = _told(given, gold)
        if test is None or len(test[1]) < how.bin_rows:
            silent.append(name)
            continue
        known = _told(evidence.given["validation"].get(name), validation)
        told = known or (test[0][:, :0], validation[:0])
        systems += _measured(evidence, ANNOTATOR, {name: Runs(test[0], told[0])}, test[1], told[1])[1]
    off, reference = variances(values, "overconfidence"), study.settings.evaluate.reference
    alone = {name: off.mean(name, level) for name in values}
    against = {name: off.difference(name, reference, level) for name in values if name != reference}
    return Calibrations(systems, _decided(evidence, alone), _decided(evidence, against), by_voting, silent)


def _told(given: Given | None, gold: Codes) -> tuple[np.ndarray, Codes] | None:
    """The probabilities (1, n, K) and gold of the rows that have both."""
    if given is None or given.probabilities is None:
        return None
    known = ~np.isnan(given.probabilities[:, 0])
    return given.probabilities[None, known], gold[known]


def _measured(
    evidence: Evidence, kind: str, groups: Mapping[str, Runs], gold: Codes, validation: Codes
) -> tuple[dict[str, Values], list[System]]:
    how, level = evidence.settings.calibration, evidence.study.settings.evaluate.confidence
    as_is = {name: values_of(runs.test, None, gold, how, level) for name, runs in groups.items()}
    fits = {
        name: temperatures_of(runs.validation, validation, how.validation_rows)
        if len(validation) >= how.validation_rows
        else None
        for name, runs in groups.items()
    }
    fitted: dict[str, Temperatures] = {name: fit for name, fit in fits.items() if fit is not None}
    tempered = {name: values_of(groups[name].test, fit.of_runs, gold, how, level) for name, fit in fitted.items()}
    before, after = intervals(as_is, level), intervals(tempered, level)
    gained, heats = changes(as_is, tempered, level), mean_temperatures(fitted, level)
    return as_is, [
        System(
            name,
            kind,
            len(gold),
            State(before[name], as_is[name]),
            State(after[name], tempered[name]) if name in tempered else None,
            heats.get(name),
            gained.get(name, {}),
            fitted[name].rows if name in fitted else _fewest(runs),
        )
        for name, runs in groups.items()
    ]


def _fewest(runs: Runs) -> int:
    """The validation rows that each run has probabilities of."""
    return int((~np.isnan(runs.validation[..., 0])).sum(axis=1).min())


def _decided(evidence: Evidence, found: Mapping[str, Interval]) -> dict[str, Contrast]:
    """With Holm's correction over all; what has no interval (nothing varies) is left out."""
    how = evidence.study.settings.evaluate
    asked = {name: one for name, one in found.items() if one.error > ROUNDING}
    return dict(zip(asked, decide(list(asked.values()), how.margin, how.confidence), strict=True))
