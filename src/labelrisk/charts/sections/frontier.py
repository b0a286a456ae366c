"""What was paid in gold labels or money, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, coloured, data, domain_of, number, spec_of, word
from labelrisk.charts.looks import looks_of
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE, GREEN, GREY, PURPLE, VERMILION
from labelrisk.charts.wording import MOST, listed, points, times_100

HEIGHT = 320  # pixels
NAMED = 10  # sources whose names stand beside their marks
LETTERS = 15  # pixels of a line of letters
STEP, SPREAD = 0.02, 0.06  # shares of the highest price: between sources of one price, and over all of these
KINDS = {
    "labels as they are": Look(GREEN, "square"),
    "chosen rows": Look(VERMILION, "diamond"),
    "random rows": Look(BLUE, "circle"),
    "repaired or otherwise": Look(PURPLE, "triangle-up"),
    "gold with errors": Look(GREY, "cross"),
    "gold": Look(GREY, "triangle-down", 100),
}
WORDS = dict(zip(("plain", "chosen", "random", "treated", "noise", "gold"), KINDS, strict=True))


def frontier(files: StudyFiles) -> tuple[Chart, ...]:
    """Macro-F1 against gold labels, and against money where any was spent, each with the line that random rows buy."""
    found = rows_of(files.plots / "frontier.csv", ("source", "kind", "annotator"))
    if not found:
        return ()
    chosen = chosen_sources(files, (row["source"] for row in found), MOST)
    kept = [row | {"name": chosen.shown[row["source"]]} for row in found
            if row["source"] in chosen.panels or row["source"] == chosen.reference]  # fmt: skip
    charts = [_chart("gold_labels", "gold labels", kept, chosen.said)]
    if any(row["money"] for row in kept):
        charts.append(_chart("money", "money", kept, chosen.said))
    return tuple(charts)


def _chart(column: str, paid: str, found: Sequence[Row], said: str) -> Chart:
    known = [row for row in found if row[column] is not None]
    told = [f"{row['name']}: {points(row['macro_f1'])} for {row[column]:,.6g}" for row in known]
    alternative = f"Macro-F1 (x100) for the {paid} that were spent: {listed(told)}"
    return Chart(
        "frontier" if column == "gold_labels" else "frontier_money",
        f"What was paid in {paid}, and what came out",
        f"Each mark is a source: further right costs more {paid}, higher is better, bars are intervals; the dashed "
        "line is what as many gold labels on random rows bring, and its contrast says whether one above it is so for "
        "sure." + said,
        alternative,
        spec_of(_drawn(column, paid, known), alternative),
    )


def _drawn(column: str, paid: str, known: Sequence[Row]) -> Any:
    import altair as alt

    rows = _placed(column, known)
    looks = looks_of((row["kind"] for row in rows), KINDS)
    most = max(row["paid"] for row in rows) or 1.0
    xs = alt.Scale(domain=[-0.06 * most, 1.08 * most], nice=False)
    x = alt.X("x:Q", title=f"{paid} spent", scale=xs, axis=alt.Axis(grid=False, tickCount=5))
    domain = domain_of(rows, ("y", "low", "high"))
    y = alt.Y("y:Q", title="macro-F1 on test (x100)", scale=alt.Scale(domain=domain, nice=False, zero=False))
    tooltip = [
        word("name", "source"), word("kind", "kind"), word("annotator", "annotator"), number("paid", paid),
        number("y", "macro-F1"), number("low", "interval from"), number("high", "interval to"),
    ]  # fmt: skip
    picked = alt.selection_point(name="picked", fields=["kind"], bind="legend")
    opacity = alt.condition(picked, alt.value(1), alt.value(0.12))
    encodings = coloured(looks)
    line = alt.Chart(data(_lines(rows, column == "gold_labels"))).mark_line(
        color=BLUE, strokeDash=[5, 4], strokeWidth=1.5
    )
    bars = alt.Chart(data(rows)).mark_rule(strokeWidth=2)
    dots = alt.Chart(data(rows)).mark_point(filled=True)
    layers: list[alt.Chart] = [
        line.encode(x=x, y=y, detail="annotator:N", order="x:Q"),
        bars.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=encodings["color"], opacity=opacity),
        dots.encode(x=x, y=y, size=alt.Size("size:Q", scale=None), tooltip=tooltip, opacity=opacity, **encodings)
        .add_params(picked),
    ]  # fmt: skip
    if len(rows) <= NAMED:
        sides: tuple[tuple[Literal["left", "right"], int], ...] = (("left", 9), ("right", -9))
        for side, dx in sides:
            beside = _beside([row for row in rows if (row["paid"] <= most / 2) == (side == "left")], domain, side)
            names = alt.Chart(data(beside)).mark_text(align=side, dx=dx, dy=-7, limit=alt.expr("0.52 * width"))
            layers.append(names.encode(x=x, y=alt.Y("label:Q"), text="name:N", opacity=opacity))
    return alt.layer(*layers).properties(width="container", height=HEIGHT)


def _placed(column: str, known: Sequence[Row]) -> list[Row]:
    """The rows as they are drawn: those of one price side by side, or their bars would hide each other."""
    most = max((row[column] for row in known), default=0) or 1.0
    rows = []
    for row in known:
        mates = [other["source"] for other in known if other[column] == row[column]]
        step = most * min(STEP, SPREAD / len(mates))
        scores = {name: times_100(row[of]) for name, of in (("y", "macro_f1"), ("low", "low"), ("high", "high"))}
        rows.append({
            "name": row["name"], "kind": WORDS.get(row["kind"], row["kind"]), "annotator": row["annotator"],
            "paid": row[column], "x": row[column] + step * (mates.index(row["source"]) - (len(mates) - 1) / 2),
            "size": KINDS[WORDS[row["kind"]]].size,
        } | scores)  # fmt: skip
    return rows


def _lines(rows: Sequence[Row], by_gold: bool) -> list[Row]:
    """By annotator what gold or money buys at random: its labels as they are, its random twins, and all gold."""
    gold = [row for row in rows if row["kind"] == WORDS["gold"]]
    ends = [max(gold, key=lambda row: row["paid"])] if gold and by_gold else []
    found = []
    for annotator in dict.fromkeys(row["annotator"] for row in rows):
        mine = [row for row in rows if row["annotator"] == annotator]
        plain = [row for row in mine if row["kind"] == WORDS["plain"]]
        least = max((row["paid"] for row in plain), default=0.0)
        twins = [row for row in mine if row["kind"] == WORDS["random"] and row["paid"] > least]
        scores: dict[float, list[float]] = {}
        for row in (*plain, *twins, *ends) if twins else ():
            scores.setdefault(row["paid"], []).append(row["y"])
        found += [{"x": paid, "y": sum(of) / len(of), "annotator": annotator} for paid, of in scores.items()]
    return found


def _beside(rows: Sequence[Row], domain: Sequence[float], side: str) -> list[Row]:
    """The names beside all marks of one price, moved down where they would lie over each other."""
    least = LETTERS * (domain[1] - domain[0]) / HEIGHT
    edge = max if side == "left" else min
    edges = {row["paid"]: edge(other["x"] for other in rows if other["paid"] == row["paid"]) for row in rows}
    placed, last = [], float("inf")
    for row in sorted(rows, key=lambda row: -row["y"]):
        last = min(row["y"], last - least)
        placed.append({"name": row["name"], "kind": row["kind"], "x": edges[row["paid"]], "label": round(last, 2)})
    return placed
