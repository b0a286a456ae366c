"""Do probabilities say how often they are right?  Of students, votes of their seeds and annotators, and tempered."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from labelrisk.comparison.claims.contract import Finding, cases
from labelrisk.comparison.claims.judgements import judged
from labelrisk.explanations.calibration.picture import draw_calibration
from labelrisk.explanations.calibration.sentences import calibration_sentences, rms
from labelrisk.explanations.calibration.systems import ANNOTATOR, Calibrations, State, System, calibrations
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.numbers import interval_json
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.scores import rounded

AS_IS, TEMPERED, CHANGE = "as they are", "tempered", "change"


def calibration(evidence: Evidence) -> Explanation:
    """Overconfidence, calibration error without its bias, Brier score and log loss, with reliability curves."""
    found = calibrations(evidence)
    level = evidence.study.settings.evaluate.confidence
    curves = _curves(found)
    return Explanation(
        says=calibration_sentences(evidence, found),
        metrics={
            "bins": evidence.settings.calibration.bins,
            "systems": {kind: _of_kind(found, kind) for kind in dict.fromkeys(one.kind for one in found.systems)},
            "overconfidence_of_students": _contrasts(found.overconfidence),
            "overconfidence_against_reference": _contrasts(found.against_reference),
            "overconfidence_of_vote_minus_students": {
                name: interval_json(one) for name, one in sorted(found.by_voting.items())
            },
        },
        tables={"": _measures(found), "reliability": curves},
        pictures={"": partial(draw_calibration, curves=curves, confidence=level)},
        claims=_claims(evidence, found),
    )


def _states(system: System) -> Iterator[tuple[str, State]]:
    yield AS_IS, system.as_is
    if system.tempered is not None:
        yield TEMPERED, system.tempered


def _of_kind(found: Calibrations, kind: str) -> dict[str, Any]:
    return {one.name: _metrics(one) for one in found.systems if one.kind == kind}


def _metrics(system: System) -> dict[str, Any]:
    told: dict[str, Any] = {"rows": system.rows, "validation_rows": system.validation_rows}
    for state, of in _states(system):
        told[state.replace(" ", "_")] = {
            "confidence": rounded(of.values.confidence),
            "accuracy": rounded(of.values.accuracy),
            **{measure: interval_json(interval) for measure, interval in of.measures.items()},
            "calibration_error": interval_json(rms(of.measures["squared_error"])),
            "plain_ece": rounded(of.values.plain),
            "plain_ece_by_chance": rounded(of.values.by_chance),
        }
    if system.temperature is not None:
        told["temperature"] = interval_json(system.temperature)
        told["change"] = {measure: interval_json(interval) for measure, interval in system.changes.items()}
    return told


def _contrasts(found: dict[str, Contrast] | Any) -> dict[str, Any]:
    return {name: interval_json(one) | {"p_holm": rounded(one.p_different)} for name, one in found.items()}


def _measures(found: Calibrations) -> pd.DataFrame:
    """A row per system, state and measure: estimate, low, high (empty where a number has no interval)."""
    rows: list[tuple[Any, ...]] = []
    for one in found.systems:
        for state, of in _states(one):
            about = (one.name, one.kind, state)
            rows += [(*about, measure, *interval[:3]) for measure, interval in of.measures.items()]
            rows.append((*about, "calibration_error", *rms(of.measures["squared_error"])[:3]))
            alone = {
                "confidence": of.values.confidence,
                "accuracy": of.values.accuracy,
                "plain_ece": of.values.plain,
                "plain_ece_by_chance": of.values.by_chance,
            }
            rows += [(*about, measure, value, None, None) for measure, value in alone.items()]
        if one.temperature is not None:
            rows.append((one.name, one.kind, TEMPERED, "temperature", *one.temperature[:3]))
        rows += [(one.name, one.kind, CHANGE, measure, *interval[:3]) for measure, interval in one.changes.items()]
    columns = ["system", "kind", "state", "measure", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"low": float, "high": float})


def _curves(found: Calibrations) -> pd.DataFrame:
    """A row per system, state and bin of equal mass: rows (of all runs), confidence, accuracy, low, high."""
    rows = [
        (one.name, one.kind, state, number, *point)
        for one in found.systems
        for state, of in _states(one)
        for number, point in enumerate(of.values.curve, start=1)
    ]
    columns = ["system", "kind", "state", "bin", "rows", "confidence", "accuracy", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _claims(evidence: Evidence, found: Calibrations) -> dict[str, dict[str, Finding]]:
    """That annotators' probabilities are badly calibrated, which is why Lu & Smith (2025) rank rows by entropy."""
    margin = evidence.study.settings.evaluate.margin
    known = {one.name: rms(one.as_is.measures["squared_error"]) for one in found.systems if one.kind == ANNOTATOR}
    decided = {}
    for case in cases(evidence.study):
        if case.annotator not in known:
            finding = Finding("not decided here", f"{case.annotator} gives no probabilities of enough test rows.")
        else:
            error, bound = known[case.annotator], f"{100 * margin:g} points"
            finding = judged(
                error,
                [
                    (error.low > margin, "holds", f"The whole interval of the calibration error lies above {bound}."),
                    (error.high < margin, "does not hold", f"A calibration error of {bound} or more is ruled out."),
                ],
                f"The interval of the calibration error holds {bound}.",
            )
        decided[case.annotator] = {"annotator_badly_calibrated": finding}
    return decided
