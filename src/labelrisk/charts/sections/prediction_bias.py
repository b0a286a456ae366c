"""Which classes are said too often or too rarely, by students and by annotators."""

from __future__ import annotations

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import number
from labelrisk.charts.looks import DECISIONS, looks_of
from labelrisk.charts.panels import Items, item_panels
from labelrisk.charts.study_files import rows_of
from labelrisk.charts.wording import cut_short, listed, shown_names, times_100, with_bounds

CLASSES = 25  # of one panel


def prediction_bias(files: StudyFiles) -> tuple[Chart, ...]:
    """A panel for each source, the reference too, and each annotator: predicted minus true share by class."""
    found = rows_of(files.explanations / "prediction_bias.csv", ("name", "kind", "class", "decision"))
    if not found:
        return ()
    chosen = chosen_sources(files, (row["name"] for row in found if row["kind"] == "students"), 11)
    kept = [
        row for row in found
        if row["kind"] != "students" or row["name"] in (*chosen.panels, chosen.reference)
    ]  # fmt: skip
    titles = shown_names(_title(row["kind"], row["name"]) for row in kept)
    names = shown_names(row["class"] for row in kept)
    largest = {name: max(abs(row["bias"]) for row in kept if row["class"] == name) for name in names}
    shown = sorted(names, key=lambda name: -largest[name])[:CLASSES]
    kept = [row for row in kept if row["class"] in shown]
    drawn = [
        {
            "panel": titles[_title(row["kind"], row["name"])],
            "item": names[row["class"]],
            "kind": row["decision"],
            "true": times_100(row["true_share"]),
            "predicted": times_100(row["predicted_share"]),
        }
        | {name: times_100(row[of]) for name, of in (("x", "bias"), ("low", "low"), ("high", "high"))}
        for row in kept
    ]
    told = []
    for title in titles:
        mine = [row for row in kept if _title(row["kind"], row["name"]) == title]
        worst = max(mine, key=lambda row: abs(row["bias"]))
        bias = with_bounds(worst["bias"], worst["low"], worst["high"], "+")
        told.append(f"{titles[title]}: {names[worst['class']]} {bias}")
    alternative = f"Largest bias, predicted minus true share of a class (points, with intervals): {listed(told)}"
    items = Items(
        rows=drawn,
        items=[names[name] for name in names if name in shown],
        looks=looks_of((row["kind"] for row in drawn), DECISIONS),
        axis=["predicted minus true share", "of the class (points)"],
        tooltips=[number("true", "true share (%)"), number("predicted", "predicted share (%)")],
        value="bias",
    )
    return (
        Chart(
            "prediction_bias",
            "Which classes are said too often",
            "Each mark is the share of test rows that get a class minus the share that have it in gold (0), with its "
            "interval: right of the line the class is said too often, left of it too rarely."
            + cut_short(len(names), len(shown), "classes", "with the largest bias")
            + chosen.said,
            alternative,
            item_panels(items, alternative),
        ),
    )


def _title(kind: str, name: str) -> str:
    return name if kind == "students" else f"{kind} {name}"
