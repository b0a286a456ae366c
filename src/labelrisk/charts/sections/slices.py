"""The parts of the test rows: where a source loses more, and where annotators err more."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.chosen_sources import Chosen, chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import number
from labelrisk.charts.looks import DECISIONS, looks_of
from labelrisk.charts.panels import Items, item_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.wording import cut_short, listed, shown_names, times_100, with_bounds

SLICES = 25  # of one panel
COLUMNS = 6


def slices(files: StudyFiles) -> tuple[Chart, ...]:
    """A chart for each column that divides the rows: macro-F1 minus the reference's, a panel for each source."""
    found = rows_of(files.plots / "slices.csv", ("column", "slice", "kind", "name", "decision"))
    students = [row for row in found if row["kind"] == "student"]
    chosen = chosen_sources(files, (row["name"] for row in students))
    judged = [row for row in students if row["difference"] is not None and row["name"] in chosen.panels]
    columns = list(dict.fromkeys(row["column"] for row in judged))[:COLUMNS]
    titles = shown_names(columns)
    return tuple(
        _chart(number_of, titles[column], [row for row in judged if row["column"] == column], chosen)
        for number_of, column in enumerate(columns, start=1)
    )


def _chart(number_of: int, title: str, judged: Sequence[Row], chosen: Chosen) -> Chart:
    rows_in = {row["slice"]: row["rows"] for row in judged}
    names = shown_names(rows_in)
    largest = sorted(rows_in, key=lambda name: -rows_in[name])[:SLICES]
    kept = [row for row in judged if row["slice"] in largest]
    drawn = [
        {
            "panel": chosen.shown[row["name"]],
            "item": names[row["slice"]],
            "kind": row["decision"],
            "rows": row["rows"],
            "f1": times_100(row["macro_f1"]),
            "accuracy": times_100(row["accuracy"]),
        }
        | {name: times_100(row[of]) for name, of in (("x", "difference"), ("low", "low"), ("high", "high"))}
        for row in kept
    ]
    told = []
    for source in chosen.panels:
        if mine := [row for row in kept if row["name"] == source]:
            worst = min(mine, key=lambda row: row["difference"])
            gap = with_bounds(worst["difference"], worst["low"], worst["high"], "+")
            told.append(f"{chosen.shown[source]}: lowest in {names[worst['slice']]}, {gap}")
    reference = chosen.shown.get(chosen.reference, "the reference")
    alternative = f"Macro-F1 minus that of {reference} by {title} (points, with intervals): {listed(told)}"
    items = Items(
        rows=drawn,
        items=[names[name] for name in rows_in if name in largest],
        looks=looks_of((row["kind"] for row in drawn), DECISIONS),
        axis=["macro-F1 minus that of", "the reference (points)"],
        tooltips=[number("rows", "test rows"), number("f1", "macro-F1"), number("accuracy", "accuracy")],
        value="difference",
        item="slice",
    )
    return Chart(
        f"slices_{number_of}",
        f"Where it loses: by {title}",
        "Each mark is the macro-F1 of a source minus that of the reference (0) on one slice of the test rows, with its "
        "interval; better and worse are decided with all slices looked at together."
        + cut_short(len(rows_in), len(largest), "slices", "largest")
        + chosen.said,
        alternative,
        item_panels(items, alternative),
    )
