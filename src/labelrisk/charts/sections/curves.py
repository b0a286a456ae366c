"""Learning curves: what more labels bring, by source."""

from __future__ import annotations

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import number, word
from labelrisk.charts.panels import Lines, line_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.wording import listed, points, times_100


def curves(files: StudyFiles) -> tuple[Chart, ...]:
    """Macro-F1 by number of train rows with intervals; none before `labelrisk curves` was run."""
    found = rows_of(files.explanations / "curves.csv", ("source",))
    if not found:
        return ()
    chosen = chosen_sources(files, (row["source"] for row in found))
    drawn = [{"panel": chosen.shown[row["source"]], **_point(row)} for row in found if row["source"] in chosen.panels]
    behind = [_point(row) for row in found if row["source"] == chosen.reference] if chosen.beside else []
    told = []
    for source in chosen.shown:
        if source in chosen.panels or source == chosen.reference:
            mine = [row for row in found if row["source"] == source]
            ends = ", ".join(f"{points(row['macro_f1'])} with {row['rows']:g} rows" for row in (mine[0], mine[-1]))
            told.append(f"{chosen.shown[source]}: {ends}")
    alternative = f"Macro-F1 on test (x100) by number of train rows: {listed(told)}"
    lines = Lines(
        rows=drawn,
        x="labelled train rows",
        y="macro-F1 on test (x100)",
        tooltips=[number("x", "train rows"), number("y", "macro-F1"), number("low", "interval from"),
                  number("high", "interval to"), number("seeds", "seeds"), word("converged", "converged")],
        behind=behind,
        logarithmic=True,
    )  # fmt: skip
    grey = chosen.grey.replace(";", ",")
    return (
        Chart(
            "learning_curves",
            "What more labels would buy",
            f"Each dot is the mean macro-F1 of students of so many rows of a source, the band its interval{grey}: a "
            "line that is flat at its end gains little from more labels (rows are on a logarithmic scale)."
            + chosen.said,
            alternative,
            line_panels(lines, alternative, height=190),
        ),
    )


def _point(row: Row) -> Row:
    scores = {name: times_100(row[of]) for name, of in (("y", "macro_f1"), ("low", "low"), ("high", "high"))}
    converged = "yes" if row["converged"] else "no"
    return {"x": row["rows"], "run": "mean", "seeds": row["seeds"], "converged": converged} | scores
