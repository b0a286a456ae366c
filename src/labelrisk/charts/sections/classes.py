"""F1 by class: which classes a source's students find less well than the reference's."""

from __future__ import annotations

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.panels import Items, item_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE
from labelrisk.charts.wording import cut_short, listed, shown_names, times_100, with_bounds

CLASSES = 25  # of one panel


def classes(files: StudyFiles) -> tuple[Chart, ...]:
    """A panel for each source: F1 with its interval by class, the reference's in grey."""
    rows = rows_of(files.plots / "classes.csv", ("kind", "name", "class"))
    students = [row for row in rows if row["kind"] == "student" and row["f1"] is not None]
    if not students:
        return ()
    sources = chosen_sources(files, (row["name"] for row in students))
    names = shown_names(row["class"] for row in students)
    of_reference = {row["class"]: row["f1"] for row in students if row["name"] == sources.reference}
    losses = dict.fromkeys(names, 0.0)
    for row in students:
        losses[row["class"]] = min(losses[row["class"]], row["f1"] - of_reference.get(row["class"], row["f1"]))
    lost_most = sorted(losses, key=lambda name: losses[name])[:CLASSES]
    kept = [row for row in students if row["class"] in lost_most]
    drawn: list[Row] = []
    told = []
    for source in sources.panels:
        mine = [row for row in kept if row["name"] == source]
        for row in mine:
            of = {"panel": sources.shown[source], "of_reference": times_100(of_reference.get(row["class"]))}
            drawn.append(_drawn(row, names) | of)
        worst = min(mine, key=lambda row: row["f1"])
        f1 = with_bounds(worst["f1"], worst["f1_low"], worst["f1_high"])
        told.append(f"{sources.shown[source]}: lowest for {names[worst['class']]}, {f1}")
    items = Items(
        rows=drawn,
        items=[names[name] for name in names if name in lost_most],
        looks={"F1": Look(BLUE, "circle")},
        axis="F1 on test (x100)",
        tooltips=[
            number("of_reference", "F1 of the reference"),
            number("rows", "test rows of the class"),
            number("recall", "recall"),
            number("precision", "precision"),
        ],
        behind=[_drawn(row, names) for row in kept if row["name"] == sources.reference] if sources.beside else (),
        behind_is="F1 of the reference",
        at=None,
        value="F1",
    )
    alternative = f"F1 by class (x100, with intervals): {listed(told)}"
    return (
        Chart(
            "classes",
            "Which classes suffer",
            f"Each dot is the F1 of a class, mean over the seeds of a source, with its interval{sources.grey}: a dot "
            "far left of the grey mark is a class that the source's labels teach badly."
            + cut_short(len(names), len(lost_most), "classes", "that lose most")
            + sources.said,
            alternative,
            item_panels(items, alternative),
        ),
    )


def _drawn(row: Row, names: dict[str, str]) -> Row:
    scores = {"x": "f1", "low": "f1_low", "high": "f1_high", "recall": "recall", "precision": "precision"}
    return {"item": names[row["class"]], "kind": "F1", "rows": row["support"]} | {
        name: times_100(row[of]) for name, of in scores.items()
    }
