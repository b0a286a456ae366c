"""Which classes do students and annotators predict too often, and is it the labels that taught them so?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.systems import annotator_key, variances
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import over_rows_and_seeds, signed_points, with_level
from labelrisk.statistics.contrasts import Contrast, decide
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.scores import Floats, rounded

COLUMNS = ["name", "kind", "class", "true_share", "predicted_share", "bias", "low", "high", "decision"]
NOT_DECIDED = "For no class is it decided that students or an annotator predict it too often or too rarely."
OFTEN = {"better": "more often", "worse": "more rarely"}  # what a decided difference means here


def prediction_bias(evidence: Evidence) -> Explanation:
    """By source, annotator used directly and class: the share predicted minus the true share, over rows and seeds.

    All biases are judged together (Holm): `too often` or `too rarely` for sure, `little` within evaluate.margin.
    """
    study, how = evidence.study, evidence.study.settings.evaluate
    shares = np.bincount(study.test.gold, minlength=len(study.classes)) / len(study.test.gold)
    systems = {name: ("students", name) for name in study.students}
    systems |= {annotator_key(name): ("annotator", name) for name in study.annotators_used_directly}
    found = {code: variances(study, bias_of(code)) for code in range(len(study.classes))}
    asked = [(system, code) for system in systems for code in found]
    biases = [found[code].mean(system, how.confidence) for system, code in asked]
    decided = dict(zip(asked, decide(biases, how.margin, how.confidence), strict=True))
    rows = [_row(systems[system], study.classes[code], float(shares[code]), decided[system, code])
            for system, code in asked]  # fmt: skip
    taught = {
        (source, code): found[code].difference(source, how.reference, how.confidence)
        for source in study.students
        if source != how.reference
        for code in found
    }
    lessons = dict(zip(taught, decide(list(taught.values()), how.margin, how.confidence), strict=True))
    return Explanation(
        says=with_level(
            _says(rows, lessons, study.classes, how.reference),
            how.confidence,
            f"of annotators over rows, of students {over_rows_and_seeds(study)}",
        ),
        metrics={"biases": _worst(rows), "margin": how.margin},
        tables={"": pd.DataFrame(rows, columns=COLUMNS)},
    )


def bias_of(code: int) -> Metric:
    """The share of rows predicted as a class minus the share that are of it: counts (..., K, K + 1) -> (...)."""

    def bias(counts: NDArray[Any]) -> Floats:
        predicted, true = counts[..., code].sum(axis=-1), counts[..., code, :].sum(axis=-1)
        return np.asarray((predicted - true) / counts.sum(axis=(-2, -1)), dtype=np.float64)

    return bias


def _row(system: tuple[str, str], name: str, share: float, found: Contrast) -> dict[str, Any]:
    kind, called = system
    words = {"better": "too often", "worse": "too rarely", "equivalent": "little"}
    told = [called, kind, name, share, share + found.estimate, found.estimate, found.low, found.high]
    return dict(zip(COLUMNS, [*told, words.get(found.decision, found.decision)], strict=True))


def _worst(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By what predicts: the class with the largest bias."""
    worst: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["name"] if row["kind"] == "students" else annotator_key(row["name"])
        if name not in worst or abs(row["bias"]) > abs(worst[name]["bias"]):
            worst[name] = row
    return {
        name: {key: rounded(row[key]) if isinstance(row[key], float) else row[key] for key in COLUMNS[2:]}
        for name, row in worst.items()
    }


def _says(
    rows: list[dict[str, Any]],
    lessons: dict[tuple[str, int], Contrast],
    classes: tuple[str, ...],
    reference: str,
) -> list[str]:
    says = []
    for row in sorted((row for row in rows if row["decision"] in ("too often", "too rarely")), key=_size)[:5]:
        students = row["kind"] == "students"
        who, say = ("Students of", "say") if students else ("The annotator", "says")
        predicted = (f"{100 * row[key]:.1f} %" for key in ("predicted_share", "true_share"))
        bias = signed_points(Interval(row["bias"], row["low"], row["high"], 0, 0))
        says.append(
            f"{who} {row['name']} {say} '{row['class']}' {row['decision']}: of {' instead of '.join(predicted)} of the "
            f"rows, {bias}."
        )
    says = says or [NOT_DECIDED]
    taught = {key: one for key, one in lessons.items() if one.decision in OFTEN}
    for (source, code), one in sorted(taught.items(), key=lambda item: -abs(item[1].estimate))[:3]:
        says.append(
            f"Students of {source} say '{classes[code]}' {OFTEN[one.decision]} than those of {reference} do, by "
            f"{signed_points(one)}: that is what the labels taught."
        )
    return says


def _size(row: dict[str, Any]) -> float:
    return -abs(float(row["bias"]))
