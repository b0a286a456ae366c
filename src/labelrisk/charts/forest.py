"""Estimates with intervals, a row each below the other: its name and numbers above it, so that a phone has room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labelrisk.charts.drawing import LETTER, Look, coloured, data, domain_of, number, spec_of, word
from labelrisk.charts.study_files import Row
from labelrisk.charts.themes import GREY, VERMILION

if TYPE_CHECKING:
    import altair as alt

HEAD, LINE, FOOT = 20, 15, 6  # pixels of a row: its name, each line of marks, and the room below


class Line(NamedTuple):
    """A vertical line at a value, and what it is called."""

    at: float
    word: str
    dashed: bool = False


class Forest(NamedTuple):
    """What is drawn.

    rows: name, kind, x, low, high (or None), and what `tooltips` show; kinds of one name lie below each other, in the
    order of `looks`, unless `together`.  notes: what stands at the right above a name.  below: x under which the
    ground is tinted.
    """

    rows: Sequence[Row]
    looks: Mapping[str, Look]
    axis: str | list[str]
    notes: Mapping[str, str]
    tooltips: Sequence[alt.Tooltip] = ()
    lines: Sequence[Line] = ()
    below: float | None = None
    together: bool = False
    legend: bool = True
    value: str = "estimate"


def forest(drawn: Forest, description: str) -> dict[str, Any]:
    """The spec: one view as wide as its container; y counts pixels."""
    import altair as alt

    rows, heads, height = _placed(drawn)
    domain = domain_of(rows, ("x", "low", "high"), [line.at for line in drawn.lines])
    axis = alt.Axis(grid=False, labelOverlap=True, labelSeparation=6, tickCount=alt.expr("max(3, width / 70)"))
    x = alt.X("x:Q", title=drawn.axis, axis=axis, scale=alt.Scale(domain=domain, nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height], nice=False, zero=False))
    room = int(LETTER * max((len(head["note"]) for head in heads), default=0)) + 12
    limit = alt.expr(f"max(70, width - {room})")
    tooltip = [
        word("name", "name"),
        word("kind", "what"),
        number("x", drawn.value),
        number("low", "interval from"),
        number("high", "interval to"),
        *drawn.tooltips,
    ]
    is_told = drawn.legend and len(drawn.looks) > 1
    picked = alt.selection_point(name="picked", fields=["kind"], bind="legend")
    opacity = alt.condition(picked, alt.value(1), alt.value(0.12)) if is_told else alt.value(1)
    looks = coloured(drawn.looks, legend=is_told)
    bars = alt.Chart(data([row for row in rows if row["low"] is not None and row["high"] is not None]))
    layers: list[alt.Chart] = [
        *_ground(drawn, heads, domain, x),
        bars.mark_rule(strokeWidth=2.5).encode(
            x=alt.X("low:Q"), x2="high:Q", y=y, color=looks["color"], tooltip=tooltip, opacity=opacity
        ),
        alt.Chart(data(rows)).mark_point(filled=True).encode(
            x=x, y=y, size=alt.Size("size:Q", scale=None), tooltip=tooltip, opacity=opacity, **looks
        ),
        alt.Chart(data(heads)).mark_text(align="left", fontWeight="bold", limit=limit).encode(
            x=alt.value(0), y=alt.Y("head:Q", axis=None), text="name:N", tooltip=[word("name", "name")]
        ),
        alt.Chart(data(heads)).mark_text(align="right").encode(
            x=alt.value("width"), y=alt.Y("head:Q", axis=None), text="note:N"
        ),
    ]  # fmt: skip
    if is_told:
        layers[-3] = layers[-3].add_params(picked)
    return spec_of(alt.layer(*layers).properties(width="container", height=height), description)


def _placed(drawn: Forest) -> tuple[list[Row], list[Row], int]:
    """The rows with their `y`, the heads, and the height of all, in pixels."""
    order, rows, heads, top = list(drawn.looks), [], [], 0
    by_name: dict[str, list[Row]] = {}
    for row in drawn.rows:
        by_name.setdefault(row["name"], []).append(row)
    for name in drawn.notes:
        mine = by_name.get(name, [])
        kinds = sorted({row["kind"] for row in mine}, key=order.index)
        for row in mine:
            line = 0 if drawn.together else kinds.index(row["kind"])
            rows.append(row | {"y": top + HEAD + LINE * line + LINE / 2, "size": drawn.looks[row["kind"]].size})
        foot = top + HEAD + LINE * (1 if drawn.together else max(len(kinds), 1))
        heads.append({"name": name, "note": drawn.notes[name], "head": top + HEAD / 2, "from": top + HEAD, "to": foot})
        top = foot + FOOT
    return rows, heads, top


def _ground(drawn: Forest, heads: Sequence[Row], domain: Sequence[float], x: alt.X) -> list[alt.Chart]:
    """What lies below the marks, in the strips between the names: a track, the tint, and the vertical lines."""
    import altair as alt

    y, y2 = alt.Y("from:Q", axis=None), "to:Q"
    strips = [{name: head[name] for name in ("from", "to")} for head in heads]
    track = alt.Chart(data([strip | {"x": domain[0], "x2": domain[1]} for strip in strips]))
    layers = [track.mark_rect(color=GREY, fillOpacity=0.1).encode(x=x, x2="x2:Q", y=y, y2=y2)]
    if drawn.below is not None:
        tint = alt.Chart(data([strip | {"x": domain[0], "x2": drawn.below} for strip in strips]))
        layers.append(tint.mark_rect(color=VERMILION, fillOpacity=0.16).encode(x=x, x2="x2:Q", y=y, y2=y2))
    for line in drawn.lines:
        rule = alt.Chart(data([strip | {"x": line.at, "what": line.word} for strip in strips]))
        dash = [4, 3] if line.dashed else [1, 0]
        tooltip = [word("what", "line"), number("x", "at")]
        layers.append(rule.mark_rule(style="quiet", strokeDash=dash).encode(x=x, y=y, y2=y2, tooltip=tooltip))
    return layers
