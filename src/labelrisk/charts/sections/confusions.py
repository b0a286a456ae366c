"""Which classes are taken for which: confusion matrices of students and annotators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import number, word
from labelrisk.charts.panels import faceted
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE
from labelrisk.charts.wording import cut_short, listed, shown_names

CLASSES = 24  # of one matrix
PANELS = 6
CELL = 22  # pixels
NOTHING = "(no label)"


def confusions(files: StudyFiles) -> tuple[Chart, ...]:
    """A matrix for each source, of the student of the median seed, and one for each annotator used directly."""
    students = rows_of(files.plots / "confusion_student.csv", ("source", "gold", "predicted"))
    annotators = rows_of(files.plots / "confusion_annotator.csv", ("annotator", "gold", "predicted"))
    chosen = chosen_sources(files, (row["source"] for row in students), PANELS)
    systems = [(name, chosen.shown[name]) for name in chosen.shown if name in chosen.panels or name == chosen.reference]
    found = [(panel, [row for row in students if row["source"] == name]) for name, panel in systems]
    called = shown_names(f"annotator {row['annotator']}" for row in annotators)
    for name in list(dict.fromkeys(row["annotator"] for row in annotators))[:PANELS]:
        found.append((called[f"annotator {name}"], [row for row in annotators if row["annotator"] == name]))
    if not found:
        return ()
    by_gold = Counter(row["gold"] for _, rows in found for row in rows)
    classes = list(dict.fromkeys(row["gold"] for _, rows in found for row in rows))
    kept = [name for name in classes if name in {name for name, _ in by_gold.most_common(CLASSES)}]
    names = shown_names([*kept, *(row["predicted"] for _, rows in found for row in rows if row["predicted"])])
    cells = [cell for panel, rows in found for cell in _cells(panel, rows, kept, names)]
    told = [_worst(panel, cells) for panel, _ in found]
    alternative = f"Most frequent confusion of each: {listed(told)}"
    columns = [names[name] for name in kept]
    columns += sorted({cell["predicted"] for cell in cells} - set(columns) - {NOTHING})
    columns += [NOTHING] * any(cell["predicted"] == NOTHING for cell in cells)
    return (
        Chart(
            "confusions",
            "Which classes are taken for which",
            "Each line of a matrix is a gold class, and its cells say to what share of its test rows (%) the student "
            "of the median seed, or the annotator, gives which label: dark cells off the diagonal are confusions."
            + cut_short(len(classes), len(kept), "classes", "most frequent") + chosen.said,
            alternative,
            _drawn(cells, [names[name] for name in kept], columns, alternative),
        ),
    )  # fmt: skip


def _cells(panel: str, rows: Sequence[Row], kept: Sequence[str], names: dict[str, str]) -> list[Row]:
    """The cells that are not empty."""
    counts = Counter((row["gold"], row["predicted"]) for row in rows if row["gold"] in kept)
    totals = Counter(row["gold"] for row in rows)
    return [
        {
            "panel": panel,
            "gold": names[gold],
            "predicted": names[predicted] if predicted else NOTHING,
            "share": round(100 * count / totals[gold], 1),
            "rows": count,
        }
        for (gold, predicted), count in sorted(counts.items(), key=lambda one: (kept.index(one[0][0]), one[0][1]))
    ]


def _worst(panel: str, cells: Sequence[Row]) -> str:
    wrong = [cell for cell in cells if cell["panel"] == panel and cell["gold"] != cell["predicted"]]
    if not wrong:
        return f"{panel}: none"
    most = max(wrong, key=lambda cell: cell["share"])
    return f"{panel}: {most['gold']} as {most['predicted']}, {most['share']:g} % of the rows"


def _drawn(cells: Sequence[Row], gold: Sequence[str], columns: Sequence[str], description: str) -> dict[str, Any]:
    import altair as alt

    x = alt.X("predicted:N", title="label given", sort=None, scale=alt.Scale(domain=list(columns)),
              axis=alt.Axis(labelAngle=-90, labelLimit=90))  # fmt: skip
    y = alt.Y("gold:N", title=None, sort=None, scale=alt.Scale(domain=list(gold)))
    tooltip = [word("panel", "of"), word("gold", "gold"), word("predicted", "label given"),
               number("share", "% of the class"), number("rows", "test rows")]  # fmt: skip
    shade = alt.FillOpacity("share:Q", scale=alt.Scale(domain=[0, 100], range=[0.06, 1]), legend=None)
    layers = [alt.Chart().mark_rect(fill=BLUE).encode(x=x, y=y, fillOpacity=shade, tooltip=tooltip)]
    if len(columns) <= 12:
        text = alt.Chart().mark_text(fontSize=9)
        ink = {"color": alt.value("#ffffff")}
        dark, light = text.transform_filter("datum.share >= 50"), text.transform_filter("datum.share < 50")
        label = alt.Text("share:Q", format=".0f")
        layers += [dark.encode(x=x, y=y, text=label, **ink), light.encode(x=x, y=y, text=label)]
    least = max(190, 15 * len(columns))
    return faceted(layers, cells, CELL * len(gold), max(map(len, gold)), description, least)
