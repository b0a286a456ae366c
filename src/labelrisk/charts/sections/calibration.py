"""Do probabilities say how often they are right: reliability diagrams, and the error before and after a temperature."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, data, number
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.panels import Lines, line_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE, VERMILION
from labelrisk.charts.wording import MOST, listed, shown_names, times_100, with_bounds

TEXTS = ("system", "kind", "state", "measure")
LOOKS = {"as they are": Look(VERMILION, "circle"), "tempered": Look(BLUE, "diamond")}


def calibration(files: StudyFiles) -> tuple[Chart, ...]:
    """Confidence minus accuracy by system, and a reliability diagram for each."""
    measures = rows_of(files.explanations / "calibration.csv", TEXTS)
    bins = rows_of(files.explanations / "calibration_reliability.csv", TEXTS)
    students = [row["system"] for row in measures if row["kind"] == "students"]
    chosen = chosen_sources(files, students, MOST // 2)
    kept = {*chosen.panels, chosen.reference}
    measures, bins = (
        [row | {"title": _title(row)} for row in rows if row["kind"] == "annotator" or row["system"] in kept]
        for rows in (measures, bins)
    )
    titles = shown_names(row["title"] for row in (*measures, *bins))
    gaps = [row for row in measures if row["measure"] == "overconfidence" and row["estimate"] is not None]
    charts = []
    if gaps:
        charts.append(_overconfidence(gaps, titles, chosen.said))
    singles = [row for row in bins if row["kind"] in ("students", "annotator")]
    kept = {*chosen_sources(files, (row["system"] for row in singles if row["kind"] == "students"), 10).panels}
    kept.add(chosen.reference)
    singles = [row for row in singles if row["kind"] == "annotator" or row["system"] in kept]
    if singles:
        charts.append(_reliability(singles, titles))
    return tuple(charts)


def _title(row: Row) -> str:
    titles = {"students": "{}", "vote of seeds": "vote of {}"}
    return titles.get(row["kind"], "annotator {}").format(row["system"])


def _overconfidence(gaps: Sequence[Row], titles: dict[str, str], said: str) -> Chart:
    rows = [
        {"name": titles[row["title"]], "kind": row["state"]}
        | {name: times_100(row[of]) for name, of in (("x", "estimate"), ("low", "low"), ("high", "high"))}
        for row in gaps
        if row["state"] in LOOKS
    ]
    notes = {
        titles[row["title"]]: with_bounds(row["estimate"], row["low"], row["high"], "+")
        for row in gaps
        if row["state"] == "as they are"
    }
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Confidence minus accuracy as they are (points, with intervals): {listed(told)}"
    drawn = Forest(
        rows=rows,
        looks=LOOKS,
        axis="mean confidence minus accuracy (points)",
        notes=notes,
        lines=[Line(0.0, "as sure as right")],
        value="confidence minus accuracy",
    )
    return Chart(
        "calibration",
        "Too sure, or not sure enough",
        "Each mark is how sure a system is of its labels on average minus how often it is right, with its interval: "
        "right of 0 it is surer than it should be; tempered is after one temperature fitted on validation rows." + said,
        alternative,
        forest(drawn, alternative),
    )


def _reliability(bins: Sequence[Row], titles: dict[str, str]) -> Chart:
    import altair as alt

    as_is = [row for row in bins if row["state"] == "as they are"]
    drawn = [
        {"panel": titles[row["title"]], "run": "bins", "rows": row["rows"]}
        | {
            n: times_100(row[of])
            for n, of in (("x", "confidence"), ("y", "accuracy"), ("low", "low"), ("high", "high"))
        }
        for row in as_is
    ]
    tempered = [
        {
            "panel": titles[row["title"]],
            "run": "tempered",
            "x": times_100(row["confidence"]),
            "y": times_100(row["accuracy"]),
        }
        for row in bins
        if row["state"] == "tempered"
    ]
    told = []
    for title in dict.fromkeys(row["panel"] for row in drawn):
        top = [row for row in drawn if row["panel"] == title][-1]
        told.append(f"{title}: {top['y']:.1f} % right where {top['x']:.1f} % sure")
    alternative = f"Accuracy in the bin of highest confidence: {listed(told)}"
    diagonal = alt.Chart(data([{"x": 0, "y": 0}, {"x": 100, "y": 100}])).mark_line(
        style="quiet", strokeWidth=1, fillOpacity=0, clip=True
    )
    lines = Lines(
        rows=drawn,
        x="mean confidence of the bin (%)",
        y="right (%)",
        tooltips=[number("x", "confidence (%)"), number("y", "right (%)"), number("low", "interval from"),
                  number("high", "interval to"), number("rows", "rows")],
        runs=tempered,
        colour=BLUE,
    )  # fmt: skip
    return Chart(
        "calibration_reliability",
        "How often is it right when it is so sure?",
        "Each dot is a bin of test rows by confidence, with the band of its interval: below the diagonal the system is "
        "surer than it is right; the thin line is after the temperature.",
        alternative,
        line_panels(lines, alternative, [diagonal.encode(x="x:Q", y="y:Q")], height=170),
    )
