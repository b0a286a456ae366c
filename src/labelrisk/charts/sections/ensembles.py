"""Votes of the students over seeds, and over sources: what they gain, which way is best, and how many it takes."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.chosen_sources import Chosen, chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.panels import Lines, line_panels
from labelrisk.charts.study_files import Row, json_of, rows_of
from labelrisk.charts.themes import BLUE, GREEN, GREY, PURPLE, VERMILION
from labelrisk.charts.wording import MOST, listed, points, times_100, with_bounds

LOOKS = {"soft vote": Look(BLUE, "circle"), "hard vote": Look(VERMILION, "diamond")}
WAYS = {
    "mean student": Look(GREY, "triangle-down"),
    "best student": Look(GREY, "circle"),
    "vote": Look(BLUE, "circle"),
    "weighted vote": Look(PURPLE, "triangle-up"),
    "stacked": Look(VERMILION, "square"),
    "distilled into one": Look(GREEN, "diamond"),
}


def ensembles(files: StudyFiles) -> tuple[Chart, ...]:
    """The gain of votes; macro-F1 by way of voting; and by the number of students that vote."""
    found = [row for row in rows_of(files.plots / "ensembles.csv", ("ensemble", "vote")) if row["gain"] is not None]
    ways = rows_of(files.explanations / "ensembles.csv", ("ensemble", "way"))
    sizes = rows_of(files.explanations / "ensembles_sizes.csv", ("source",))
    charts = [_gains(found, chosen_sources(files, (row["ensemble"] for row in found), MOST))] if found else []
    if ways:
        distilled = json_of(files.explanations / "ensembles.json").get("distilled")
        charts.append(_ways(ways, chosen_sources(files, (row["ensemble"] for row in ways), MOST // 2), distilled))
    if max((row["members"] for row in sizes), default=0) > 1:
        charts.append(_sizes(sizes, chosen_sources(files, (row["source"] for row in sizes))))
    return tuple(charts)


def _gains(found: Sequence[Row], chosen: Chosen) -> Chart:
    kept = [row for row in found if row["ensemble"] in chosen.panels or row["ensemble"] == chosen.reference]
    rows = [
        {
            "name": chosen.shown[row["ensemble"]],
            "kind": f"{row['vote']} vote",
            "x": times_100(row["gain"]),
            "low": times_100(row["gain_low"]),
            "high": times_100(row["gain_high"]),
            "macro_f1": times_100(row["macro_f1"]),
            "students": row["students"],
        }
        for row in kept
    ]
    notes = {
        chosen.shown[row["ensemble"]]: with_bounds(row["gain"], row["gain_low"], row["gain_high"], "+")
        for row in kept
        if row["vote"] == "soft"
    }
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Macro-F1 of the soft vote minus that of the mean student (points, with intervals): {listed(told)}"
    drawn = Forest(
        rows=rows,
        looks=LOOKS,
        axis="gain of macro-F1 over the mean student (points)",
        notes=notes,
        tooltips=[number("macro_f1", "macro-F1 of the vote"), number("students", "students that vote")],
        lines=[Line(0.0, "the mean student")],
        value="gain",
    )
    return Chart(
        "ensembles",
        "What a vote of the seeds brings",
        "Each mark is what the students of a source gain in macro-F1 when they vote, against their mean (0), with its "
        "interval over other test rows for these very students (sentences allow for other seeds, too, and are wider); "
        "the number is that of the soft vote, which adds up probabilities." + chosen.said,
        alternative,
        forest(drawn, alternative),
    )


def _ways(found: Sequence[Row], chosen: Chosen, distilled: dict[str, object] | None) -> Chart:
    kept = [row for row in found if row["ensemble"] in (*chosen.panels, chosen.reference)]
    rows = [_way(chosen.shown[row["ensemble"]], row["way"], row) for row in kept]
    if distilled and (name := chosen.shown.get(str(distilled["ensemble"]))):
        scores = distilled["macro_f1"]
        assert isinstance(scores, dict)
        one = {"macro_f1": scores["estimate"], "low": scores["low"], "high": scores["high"], "cost": distilled["cost"]}
        rows.append(_way(name, "distilled into one", one))
    notes = {
        chosen.shown[row["ensemble"]]: f"vote {with_bounds(row['macro_f1'], row['low'], row['high'])}"
        for row in kept
        if row["way"] == "vote"
    }
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Macro-F1 of each vote on test (x100, with intervals): {listed(told)}"
    drawn = Forest(
        rows=[row for row in rows if row["name"] in notes],
        looks={name: look for name, look in WAYS.items() if any(row["kind"] == name for row in rows)},
        axis="macro-F1 on the test rows (x100)",
        notes=notes,
        tooltips=[number("cost", "students that a prediction costs")],
        value="macro-F1",
    )
    return Chart(
        "ensembles_ways",
        "Which way of voting is worth it",
        "For each ensemble one mark below the other, with intervals: its mean student, the best by validation rows, "
        "the plain vote, the vote weighted on validation rows, and the stacked one; what is right of the vote is "
        "better than it." + chosen.said,
        alternative,
        forest(drawn, alternative),
    )


def _way(name: str, way: str, row: Row) -> Row:
    scores = {field: times_100(row[of]) for field, of in (("x", "macro_f1"), ("low", "low"), ("high", "high"))}
    return {"name": name, "kind": way, "cost": row["cost"]} | scores


def _sizes(found: Sequence[Row], chosen: Chosen) -> Chart:
    def drawn(row: Row) -> Row:
        return {"x": row["members"], "y": times_100(row["macro_f1"]), "run": "vote", "alpha": times_100(row["alpha"])}

    told = []
    for source in chosen.panels:
        mine = [row for row in found if row["source"] == source]
        ends = " to ".join(points(row["macro_f1"]) for row in (mine[0], mine[-1]))
        told.append(f"{chosen.shown[source]}: {ends} with {mine[-1]['members']:g}")
    alternative = f"Macro-F1 of the vote on test (x100), from one student to all: {listed(told)}"
    lines = Lines(
        rows=[{"panel": chosen.shown[row["source"]], **drawn(row)} for row in found if row["source"] in chosen.panels],
        x="students that vote",
        whole=True,
        y="macro-F1 on test (x100)",
        tooltips=[number("x", "students"), number("y", "macro-F1"), number("alpha", "alpha of two such ensembles")],
        behind=[drawn(row) for row in found if row["source"] == chosen.reference] if chosen.beside else (),
    )
    return Chart(
        "ensembles_sizes",
        "How many students it takes",
        f"Each dot is the mean macro-F1 of votes of so many students of a source{chosen.grey.replace(';', ',')}: a "
        "line that is flat at its end gains nothing from another student, which costs as much as the first."
        + chosen.said,
        alternative,
        line_panels(lines, alternative),
    )
