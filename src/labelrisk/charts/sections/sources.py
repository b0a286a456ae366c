"""Macro-F1 of all that classifies the test rows: students by source, their votes, and what needs no student."""

from __future__ import annotations

from typing import Any

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.study_files import Row, json_of, rows_of
from labelrisk.charts.themes import BLUE, GREEN, GREY, VERMILION
from labelrisk.charts.wording import MOST, listed, points, shown_names, times_100, with_bounds

LOOKS = {
    "one seed": Look(GREY, "circle", 26),
    "mean of the seeds": Look(BLUE, "circle"),
    "vote of the seeds": Look(VERMILION, "diamond"),
    "without a student": Look(GREEN, "square"),
}


def sources(files: StudyFiles) -> tuple[Chart, ...]:
    """Each source's mean with its interval, its seeds and their vote; annotators and cheap classifiers below."""
    scores = json_of(files.metrics / "sources.json")
    if not scores:
        return ()
    chosen = chosen_sources(files, scores, MOST)
    votes = json_of(files.metrics / "ensembles.json")
    seeds = rows_of(files.plots / "f1_by_source.csv", ("source",))
    kept = [name for name in scores if name in chosen.panels or name == chosen.reference]
    rows: list[Row] = []
    notes: dict[str, str] = {}
    for name in kept:
        one, shown = scores[name], chosen.shown[name]
        rows += [_row(shown, "one seed", row["macro_f1"], row) for row in seeds if row["source"] == name]
        rows.append(_row(shown, "mean of the seeds", one["macro_f1"], one))
        if vote := votes.get(name, {}).get("soft"):
            rows.append(_row(shown, "vote of the seeds", vote["macro_f1"], {"accuracy": vote["accuracy"]}))
        notes[shown] = with_bounds(one["macro_f1"], one["macro_f1_low"], one["macro_f1_high"])
    for shown, f1, of in _without_a_student(files):
        rows.append(_row(shown, "without a student", f1, of))
        notes[shown] = points(f1)
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Macro-F1 on test (x100, with intervals): {listed(told)}"
    mean = times_100(scores.get(chosen.reference, {}).get("macro_f1"))
    drawn = Forest(
        rows=rows,
        looks={name: look for name, look in LOOKS.items() if any(row["kind"] == name for row in rows)},
        axis="macro-F1 on the test rows (x100)",
        notes=notes,
        tooltips=[number("accuracy", "accuracy"), number("rows", "train rows"), number("gold", "gold labels spent")],
        lines=[] if mean is None else [Line(mean, f"mean of {chosen.shown[chosen.reference]}")],
        together=True,
        value="macro-F1",
    )
    return (
        Chart(
            "sources",
            "How good each source's students are",
            "Each blue dot is the mean macro-F1 of the students of a source, its bar the interval over other test rows "
            "and seeds; small dots are single seeds, and the line is the mean of the reference." + chosen.said,
            alternative,
            forest(drawn, alternative),
        ),
    )


def _without_a_student(files: StudyFiles) -> list[tuple[str, float, dict[str, Any]]]:
    """Name, macro-F1 and scores of annotators used directly and of cheap classifiers, where they have labels."""
    annotators, baselines = (json_of(files.metrics / f"{name}.json") for name in ("annotators", "baselines"))
    found = [(f"annotator {name}", one) for name, one in annotators.items()]
    found += [(f"cheap classifier {name}", one) for name, one in baselines.items()]
    shown = shown_names(name for name, _ in found)
    return [
        (shown[name], one["test_macro_f1"], {"accuracy": one["test_accuracy"], "gold_labels": one.get("gold_labels")})
        for name, one in found
        if one["test_macro_f1"] is not None
    ]


def _row(name: str, kind: str, f1: float, of: dict[str, Any]) -> Row:
    return {
        "name": name,
        "kind": kind,
        "x": times_100(f1),
        "low": times_100(of.get("macro_f1_low")),
        "high": times_100(of.get("macro_f1_high")),
        "accuracy": times_100(of.get("accuracy")),
        "rows": of.get("rows"),
        "gold": of.get("gold_labels"),
    }
