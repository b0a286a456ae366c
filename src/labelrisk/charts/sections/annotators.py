"""Annotators side by side: agreement, shared errors, and whether a better one makes better students."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.looks import DECISIONS, looks_of
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE, GREEN, VERMILION
from labelrisk.charts.wording import MOST, cut_short, listed, shown_names, times_100, with_bounds

LOOKS = {
    "accuracy on train": Look(VERMILION, "square"),
    "own macro-F1": Look(GREEN, "diamond"),
    "students' macro-F1": Look(BLUE, "circle"),
}


def annotators(files: StudyFiles) -> tuple[Chart, ...]:
    """Each annotator beside its students; and each pair, how much more often both err than if they erred apart."""
    students = rows_of(files.explanations / "annotators_students.csv", ("annotator", "source"))
    pairs = rows_of(files.explanations / "annotators.csv", ("split", "one", "other", "decision"))
    pairs = [row for row in pairs if row["split"] == "test" and row["both_wrong_ratio"] is not None]
    charts = [_students(students[:MOST], len(students))] if students else []
    if pairs:
        charts.append(_pairs(sorted(pairs, key=lambda row: -row["both_wrong_ratio"])[:MOST], len(pairs)))
    return tuple(charts)


def _students(found: Sequence[Row], total: int) -> Chart:
    shown = shown_names(row["annotator"] for row in found)
    rows: list[Row] = []
    fields = ("train_accuracy", "annotator_macro_f1", "student_macro_f1")
    for row in found:
        for kind, field in zip(LOOKS, fields, strict=True):
            if row[field] is not None:
                bounds = {"low": times_100(row.get(f"{field}_low")), "high": times_100(row.get(f"{field}_high"))}
                rows.append({"name": shown[row["annotator"]], "kind": kind, "x": times_100(row[field])} | bounds)
    scores = ("student_macro_f1", "student_macro_f1_low", "student_macro_f1_high")
    notes = {shown[row["annotator"]]: f"students {with_bounds(*(row[of] for of in scores))}" for row in found}
    told = [
        f"{shown[row['annotator']]}: {with_bounds(*(row[f'train_accuracy{end}'] for end in ('', '_low', '_high')))}, "
        f"{notes[shown[row['annotator']]]}"
        for row in found
        if row["train_accuracy"] is not None
    ]
    alternative = (
        f"Accuracy of an annotator's labels, and macro-F1 of its students (x100, with intervals): {listed(told)}"
    )
    drawn = Forest(rows=rows, looks=LOOKS, axis="accuracy or macro-F1 (x100)", notes=notes, value="score")
    return Chart(
        "annotators_students",
        "Does a better annotator make better students?",
        "Each annotator has three marks: how many of its train labels are right, its own macro-F1 on test, and that of "
        "students of its labels as they are, with intervals; where its own is right of its students', it needs none."
        + cut_short(total, len(found), "annotators", "first"),
        alternative,
        forest(drawn, alternative),
    )


def _pairs(found: Sequence[Row], total: int) -> Chart:
    called = [f"{row['one']}, {row['other']}" for row in found]
    shown = shown_names(called)
    ends = ("both_wrong_ratio", "both_wrong_ratio_low", "both_wrong_ratio_high")
    rows = [
        {"name": shown[name], "kind": row["decision"], "kappa": row["kappa"], "agreement": times_100(row["agreement"]),
         "same": times_100(row["same_wrong"]), "both": times_100(row["both_wrong"]), "rows": row["rows"]}
        | {field: row[of] for field, of in zip(("x", "low", "high"), ends, strict=True)}
        for name, row in zip(called, found, strict=True)
    ]  # fmt: skip
    notes = {
        shown[name]: f"x{row[ends[0]]:.2f}"
        + ("" if row[ends[1]] is None else f" [{row[ends[1]]:.2f}, {row[ends[2]]:.2f}]")
        for name, row in zip(called, found, strict=True)
    }
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Rows that both have wrong, as a multiple of what chance would make: {listed(told)}"
    drawn = Forest(
        rows=rows,
        looks=looks_of((row["kind"] for row in rows), DECISIONS),
        axis="rows both wrong / those expected by chance",
        notes=notes,
        tooltips=[number("kappa", "Cohen's kappa"), number("agreement", "agreement (%)"),
                  number("both", "both wrong (%)"),
                  number("same", "both wrong, same label (%)"), number("rows", "rows")],
        lines=[Line(1.0, "errors apart from each other")],
        together=True,
        value="ratio",
    )  # fmt: skip
    return Chart(
        "annotators_pairs",
        "Do annotators err together?",
        "Each mark is how many times as often two annotators are wrong on one row as if their errors had nothing to do "
        "with each other (1), with its interval: the further right, the less a panel of them helps."
        + cut_short(total, len(found), "pairs", "with most shared errors"),
        alternative,
        forest(drawn, alternative),
    )
