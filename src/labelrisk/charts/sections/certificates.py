"""How many answers may be wrong, and on which share of the rows a system may answer."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, data, number
from labelrisk.charts.forest import Forest, forest
from labelrisk.charts.panels import Lines, line_panels
from labelrisk.charts.study_files import Row, json_of, rows_of
from labelrisk.charts.themes import BLUE, GREEN, VERMILION
from labelrisk.charts.wording import MOST, listed, points, shown_names, times_100

PANELS = 10


def certificates(files: StudyFiles) -> tuple[Chart, ...]:
    """Upper bounds on errors, and errors by share of rows answered with the certified point."""
    bounds = [
        row for row in rows_of(files.explanations / "certificates.csv", ("name", "kind", "seed")) if not row["seed"]
    ]
    thresholds = rows_of(files.explanations / "certificates_thresholds.csv", ("name", "kind"))
    chosen = chosen_sources(files, (row["name"] for row in bounds if row["kind"] == "vote"), MOST)
    kept = {*chosen.panels, chosen.reference}
    bounds = [row | {"title": _title(row)} for row in bounds if row["kind"] == "annotator" or row["name"] in kept]
    few = {
        *chosen_sources(files, (row["name"] for row in thresholds if row["kind"] == "vote"), PANELS).panels,
        chosen.reference,
    }
    curves = [row | {"title": _title(row)} for row in thresholds if row["kind"] == "annotator" or row["name"] in few]
    titles = shown_names(row["title"] for row in (*bounds, *curves))
    charts = [_bounds(bounds, titles, chosen.said)] if bounds else []
    if curves:
        charts.append(_selective(curves, titles, json_of(files.explanations / "certificates.json").get("risk")))
    return tuple(charts)


def _title(row: Row) -> str:
    return f"{row['kind']} {'of ' if row['kind'] == 'vote' else ''}{row['name']}"


def _bounds(bounds: Sequence[Row], titles: dict[str, str], said: str) -> Chart:
    rows = [
        {"name": titles[row["title"]], "kind": "at most", "x": times_100(row["bound"]), "low": times_100(row["error"]),
         "high": times_100(row["bound"]), "errors": row["errors"], "of": row["rows"],
         "together": times_100(row["together"])}
        for row in bounds
    ]  # fmt: skip
    notes = {titles[row["title"]]: f"{points(row['error'])}, at most {points(row['bound'])}" for row in bounds}
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Wrong on test, and the upper bound for new rows (%): {listed(told)}"
    drawn = Forest(
        rows=rows,
        looks={"at most": Look(VERMILION, "triangle-left")},
        axis="wrong answers (%), on test and at most on new rows",
        notes=notes,
        tooltips=[
            number("errors", "errors on test"),
            number("of", "test rows"),
            number("together", "bound for the lowest of all"),
        ],
        value="at most (%)",
    )
    return Chart(
        "certificates",
        "How many answers to new rows are wrong at most",
        "Each bar runs from the share of test rows that were wrong to the upper bound that holds for new rows like "
        "them with the stated confidence." + said,
        alternative,
        forest(drawn, alternative),
    )


def _selective(thresholds: Sequence[Row], titles: dict[str, str], risk: float | None) -> Chart:
    import altair as alt

    known = [row for row in thresholds if row["answered"]]
    drawn = [
        {"panel": titles[row["title"]], "run": "all", "x": times_100(row["share"]), "threshold": row["threshold"],
         "y": times_100(row["errors"] / row["answered"]), "answered": row["answered"],
         "certified": bool(row["certified"]), "chosen": bool(row["chosen"])}
        for row in known
    ]  # fmt: skip
    told = []
    for title in dict.fromkeys(row["panel"] for row in drawn):
        found = [row for row in drawn if row["panel"] == title and row["chosen"]]
        told.append(f"{title}: {found[0]['x']:.1f} % of the rows" if found else f"{title}: none")
    alternative = f"Share of rows that may be answered at the stated risk: {listed(told)}"
    below = []
    if risk is not None:
        line = alt.Chart(data([{"y": 100 * risk}])).mark_rule(color=VERMILION, strokeDash=[5, 4])
        below.append(line.encode(y="y:Q"))
    mark = alt.Chart().mark_point(filled=True, size=110, shape="diamond", color=GREEN).transform_filter("datum.chosen")
    above = mark.encode(
        x="x:Q", y="y:Q", tooltip=[number("x", "certified: rows answered (%)"), number("y", "wrong (%)")]
    )
    lines = Lines(
        rows=drawn,
        x="rows answered (%), the surest first",
        y="wrong among them (%)",
        tooltips=[number("x", "rows answered (%)"), number("y", "wrong among them (%)"),
                  number("threshold", "threshold"), number("answered", "rows answered")],
        colour=BLUE,
        points=False,
        zero=True,
    )  # fmt: skip
    stated = "" if risk is None else f" of {points(risk)} %"
    return Chart(
        "certificates_selective",
        "Where may it answer?",
        "Each line is the share of wrong answers if a system answers only the rows it is surest of; the diamond is as "
        f"far as it may go so that the stated risk{stated} (dashed) holds for sure, and without one it is certified "
        "nowhere.",
        alternative,
        line_panels(lines, alternative, below, [above], height=170),
    )
