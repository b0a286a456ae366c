"""The one picture of the first screen: how much macro-F1 each source costs, and whether that is too much."""

from __future__ import annotations

from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import word
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.looks import VERDICTS, looks_of
from labelrisk.charts.study_files import Row, json_of
from labelrisk.charts.wording import MOST, cut_short, extremes, listed, points, shown_names, times_100, with_bounds


def verdict(files: StudyFiles) -> tuple[Chart, ...]:
    """The gap of each source to the reference with its interval, coloured and shaped by its verdict."""
    found = json_of(files.metrics / "verdict.json")
    gaps = {name: one for name, one in found.get("sources", {}).items() if one["difference"] is not None}
    if not gaps:
        return ()
    shown = shown_names(found["sources"])
    reference = next((shown[name] for name, one in found["sources"].items() if one["difference"] is None), "reference")
    chosen = extremes({name: one["difference"] for name, one in gaps.items()}, MOST)
    rows: list[Row] = []
    notes, told = {}, []
    for name in chosen:
        one = gaps[name]
        gap = with_bounds(one["difference"], one["low"], one["high"], "+")
        notes[shown[name]] = f"{one['verdict']}  {gap}"
        told.append(f"{shown[name]}: {one['verdict']}, {gap}")
        bounds = {field: times_100(one[of]) for field, of in (("x", "difference"), ("low", "low"), ("high", "high"))}
        rows.append({"name": shown[name], "kind": one["verdict"], "because": one["because"]} | bounds)
    margin = found["margin"]
    drawn = Forest(
        rows=rows,
        looks=looks_of((row["kind"] for row in rows), VERDICTS),
        axis=[f"macro-F1 minus that of {reference} (points)", "dashed: the loss that is accepted (margin)"],
        notes=notes,
        tooltips=[word("because", "because")],
        lines=[Line(0.0, reference), Line(-100 * margin, "accepted loss (margin)", dashed=True)],
        below=-100 * margin,
        together=True,
        legend=False,
        value="macro-F1 minus the reference's",
    )
    level = f"{100 * found['confidence']:g} %"
    alternative = f"Macro-F1 minus that of {reference}, in points with {level} intervals: {listed(told)}"
    return (
        Chart(
            "verdict",
            f"What each label source costs against {reference}",
            f"Each mark is how much macro-F1 students of a source gain or lose against those of {reference} (0), its "
            f"bar the {level} interval; a bar wholly in the tinted ground loses more than the {points(margin)} points "
            f"accepted (dashed line), one wholly right of it loses less."
            + cut_short(len(gaps), len(chosen), "sources"),
            alternative,
            forest(drawn, alternative),
        ),
    )
