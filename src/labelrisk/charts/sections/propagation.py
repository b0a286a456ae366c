"""How an annotator's errors reach its students: repeated, replaced by another error, or put right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import data, number, spec_of, word
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.looks import DECISIONS, looks_of
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE, GREY, VERMILION
from labelrisk.charts.wording import MOST, listed, shown_names, times_100, with_bounds

FATES = {"same wrong label": VERMILION, "another wrong": GREY, "right label": BLUE}
HEAD, BAR, FOOT = 20, 18, 8  # pixels


def propagation(files: StudyFiles) -> tuple[Chart, ...]:
    """What students do on rows on which the annotator is wrong, and what of that its labels taught."""
    found = rows_of(files.explanations / "propagation.csv", ("annotator", "source", "kind", "decision"))
    found = [row for row in found if row["repeated"] is not None]
    if not found:
        return ()
    chosen = chosen_sources(files, (row["source"] for row in found), MOST)
    kept = [row for row in found if row["source"] in chosen.panels]
    names = shown_names(_name(row, found) for row in kept)
    reference = chosen.reference or "the reference"
    told = [
        f"{names[_name(row, found)]}: {with_bounds(row['repeated'], row['repeated_low'], row['repeated_high'])}, "
        f"students of {reference} "
        f"{with_bounds(row['gold_repeated'], row['gold_repeated_low'], row['gold_repeated_high'])}"
        for row in kept
    ]
    alternative = f"Of the rows on which the annotator is wrong, so many (%) get the same wrong label: {listed(told)}"
    charts = [
        Chart(
            "propagation",
            "What students do where the annotator is wrong",
            "Each bar holds the test rows on which the annotator is wrong: the first part gets the same wrong label "
            f"from the students (the thin line is its interval, the tick what students of {reference}, who never saw "
            f"the annotator's labels, repeat as well).{chosen.said}",
            alternative,
            _bars(kept, found, names, alternative),
        )
    ]
    taught = [row for row in kept if row["repeated_difference"] is not None]
    return (*charts, _taught(taught, found, names, reference)) if taught else tuple(charts)


def _name(row: Row, found: Sequence[Row]) -> str:
    """The source; with the annotator where there are several."""
    several = len({one["annotator"] for one in found}) > 1
    return f"{row['source']}, errors of {row['annotator']}" if several else str(row["source"])


def _bars(kept: Sequence[Row], found: Sequence[Row], names: dict[str, str], description: str) -> dict[str, Any]:
    import altair as alt

    parts, heads, top = [], [], 0
    for row in kept:
        fates = (row["repeated"], 1 - row["repeated"] - row["corrected"], row["corrected"])
        start, name = 0.0, names[_name(row, found)]
        for fate, share in zip(FATES, fates, strict=True):
            part = {"name": name, "fate": fate, "from": round(start, 2), "to": round(start + 100 * share, 2)}
            parts.append(
                part | {"share": times_100(share), "rows": row["wrong_rows"], "y": top + HEAD, "y2": top + HEAD + BAR}
            )
            start += 100 * share
        heads.append({"name": name, "y": top + HEAD / 2, "middle": top + HEAD + BAR / 2, "top": top + HEAD - 3,
                      "bottom": top + HEAD + BAR + 3, "note": f"{100 * row['repeated']:.0f} % repeated",
                      "low": times_100(row["repeated_low"]), "high": times_100(row["repeated_high"]),
                      "reference": times_100(row["gold_repeated"])})  # fmt: skip
        top += HEAD + BAR + FOOT
    x = alt.X("from:Q", title="% of the rows on which the annotator is wrong", axis=alt.Axis(grid=False),
              scale=alt.Scale(domain=[0, 100], nice=False))  # fmt: skip
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, top], range=[0, top], nice=False, zero=False))
    fates_of = alt.Color("fate:N", scale=alt.Scale(domain=list(FATES), range=list(FATES.values())),
                       legend=alt.Legend(title=None, orient="top"))  # fmt: skip
    shares = [
        word("name", "source"),
        word("fate", "students give"),
        number("share", "% of the rows"),
        number("rows", "rows"),
    ]
    lines = [word("name", "source"), number("low", "repeated, from"), number("high", "to"),
             number("reference", "repeated by students of the reference")]  # fmt: skip
    drawn = alt.Chart(data(heads))
    layers = [
        alt.Chart(data(parts))
        .mark_rect(opacity=0.85)
        .encode(x=x, x2="to:Q", y=y, y2="y2:Q", color=fates_of, tooltip=shares),
        drawn.mark_rule(style="ink", strokeWidth=2).encode(
            x=alt.X("low:Q"), x2="high:Q", y=alt.Y("middle:Q", axis=None), tooltip=lines
        ),
        drawn.mark_rule(style="ink", strokeWidth=3).encode(
            x=alt.X("reference:Q"), y=alt.Y("top:Q", axis=None), y2="bottom:Q", tooltip=lines
        ),
        drawn.mark_text(align="left", fontWeight="bold", limit=alt.expr("width - 100")).encode(
            x=alt.value(0), y=y, text="name:N"
        ),
        drawn.mark_text(align="right").encode(x=alt.value("width"), y=y, text="note:N"),
    ]
    return spec_of(alt.layer(*layers).properties(width="container", height=top), description)


def _taught(taught: Sequence[Row], found: Sequence[Row], names: dict[str, str], reference: str) -> Chart:
    words = {"better": "more", "worse": "fewer", "": "not decided"}
    of = "repeated_difference"
    rows: list[Row] = [
        {
            "name": names[_name(row, found)],
            "kind": words.get(row["decision"], row["decision"]),
            "excess": times_100(row["excess"]),
            "x": times_100(row[of]),
            "low": times_100(row[f"{of}_low"]),
            "high": times_100(row[f"{of}_high"]),
        }
        for row in taught
    ]
    notes = {names[_name(row, found)]: with_bounds(row[of], row[f"{of}_low"], row[f"{of}_high"], "+") for row in taught}
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = (
        f"Errors repeated minus those that students of {reference} repeat (points, with intervals): {listed(told)}"
    )
    drawn = Forest(
        rows=rows,
        looks=looks_of((row["kind"] for row in rows), DECISIONS),
        axis="errors repeated beyond the reference (points)",
        notes=notes,
        tooltips=[number("excess", "repeated beyond chance")],
        lines=[Line(0.0, f"students of {reference}")],
        together=True,
        value="difference",
    )
    return Chart(
        "propagation_taught",
        "How much of that the labels taught",
        "Each mark is the share of the annotator's errors that students of a source repeat minus the share that those "
        f"of {reference} repeat anyhow (0), with its interval: right of the line the labels taught it.",
        alternative,
        forest(drawn, alternative),
    )
