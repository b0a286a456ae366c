"""What labels do to an estimate: class shares as they are, from gold rows alone, and corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labelrisk.charts.chosen_sources import Chosen, chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.panels import Items, item_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE, GREEN, GREY, VERMILION
from labelrisk.charts.wording import cut_short, listed, shown_names

TEXTS = ("kind", "labels", "method")
METHODS = {"naive": "labels as they are", "gold rows": "gold rows alone", "PPI++": "PPI++", "DSL": "DSL"}
LOOKS = {
    "labels as they are": Look(VERMILION, "cross"),
    "gold rows alone": Look(GREY, "circle"),
    "PPI++": Look(BLUE, "diamond"),
    "DSL": Look(GREEN, "square"),
}
ITEMS = 8  # of one panel
PANELS = 2


def downstream(files: StudyFiles) -> tuple[Chart, ...]:
    """Estimates of class shares, and of coefficients of a regression, minus what gold of all rows says."""
    charts = []
    for file, column, name in (
        ("downstream.csv", "class", "class shares"),
        ("downstream_coefficients.csv", "coefficient", "coefficients"),
    ):
        found = rows_of(files.explanations / file, (*TEXTS, column))
        found = [row | {"item": row[column]} for row in found if None not in (row["estimate"], row["truth"])]
        chosen = chosen_sources(files, (row["labels"] for row in found if row["kind"] == "students"), PANELS)
        annotators = list(dict.fromkeys(row["labels"] for row in found if row["kind"] == "annotator"))[:PANELS]
        kept = [row for row in found if row["labels"] in (annotators if row["kind"] == "annotator" else chosen.panels)]
        if kept:
            charts.append(_chart(kept, column, name, chosen))
    return tuple(charts)


def _title(row: Row) -> str:
    return f"{row['kind']} {row['labels']}" if row["kind"] == "annotator" else f"{row['kind']} of {row['labels']}"


def _chart(found: Sequence[Row], column: str, name: str, chosen: Chosen) -> Chart:
    shares = column == "class"
    titles = shown_names(_title(row) for row in found)
    items = shown_names(row["item"] for row in found)
    off = {item: max(abs(row["estimate"] - row["truth"]) for row in found if row["item"] == item) for item in items}
    largest = sorted(items, key=lambda item: -off[item])[:ITEMS]
    kept = [row for row in found if row["item"] in largest and row["method"] in METHODS]

    def error(row: Row, of: str) -> float | None:
        return None if row[of] is None else round(100 * (row[of] - row["truth"]), 3)

    drawn = [
        {
            "panel": titles[_title(row)],
            "item": items[row["item"]],
            "kind": METHODS[row["method"]],
            "x": error(row, "estimate"),
            "low": error(row, "low"),
            "high": error(row, "high"),
            "truth": round(100 * row["truth"], 3),
            "estimate": round(100 * row["estimate"], 3),
            "rmse": None if row["rmse"] is None else round(100 * row["rmse"], 3),
            "coverage": None if row["coverage"] is None else round(100 * row["coverage"], 1),
        }
        for row in kept
    ]
    told = listed(_told(found, titles))
    alternative = f"How far off {name} are (root mean square over draws, points): {told}"
    drawing = Items(
        rows=drawn,
        items=[items[item] for item in items if item in largest],
        looks=LOOKS,
        axis=["estimate minus what gold", "of all rows says (points)"],
        tooltips=[number("estimate", "estimate"), number("truth", "gold of all rows"),
                  number("rmse", "off by, root mean square over draws"),
                  number("coverage", "intervals that hold the truth (%)")],
        dodge=True,
        value="off by",
        item=column,
    )  # fmt: skip
    return Chart(
        "downstream" if shares else "downstream_coefficients",
        "How far off are your class shares?" if shares else "How far off are your regression coefficients?",
        "Each mark is an estimate of one draw of gold rows minus what gold of all test rows says (0), with its "
        "interval, which should hold 0: labels as they are look sure and are often wrong, corrected ones are wider and "
        "mostly right."
        + cut_short(len(items), len(largest), "classes" if shares else "coefficients", "furthest off")
        + chosen.said,
        alternative,
        item_panels(drawing, alternative),
    )


def _told(found: Sequence[Row], titles: dict[str, str]) -> list[str]:
    told = []
    for title, shown in titles.items():
        parts = []
        for method, called in METHODS.items():
            squares = [row["rmse"] ** 2 for row in found
                       if _title(row) == title and row["method"] == method and row["rmse"] is not None]  # fmt: skip
            if squares:
                parts.append(f"{called} {100 * math.sqrt(sum(squares) / len(squares)):.2f}")
        told.append(f"{shown}: {', '.join(parts)}")
    return told
