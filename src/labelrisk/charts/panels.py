"""Small multiples: the same picture for each source, side by side where there is room, the reference in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labelrisk.charts.drawing import LETTER, Look, coloured, data, domain_of, number, spec_of, word
from labelrisk.charts.study_files import Row
from labelrisk.charts.themes import BLUE

if TYPE_CHECKING:
    import altair as alt

PANELS = 12  # of one chart
LEAST = 190  # pixels of a panel's width that still tell something
STEP = 17  # pixels of a row


class Items(NamedTuple):
    """Estimates by item, a panel for each source.

    rows: panel, item, kind, x, low, high (or None), and what `tooltips` show; behind: rows of the reference, without
    panel, which all panels show in grey; at: where a vertical line stands.
    """

    rows: Sequence[Row]
    items: Sequence[str]
    looks: Mapping[str, Look]
    axis: str | list[str]
    tooltips: Sequence[alt.Tooltip] = ()
    behind: Sequence[Row] = ()
    behind_is: str = ""
    at: float | None = 0.0
    dodge: bool = False
    value: str = "estimate"
    item: str = "class"


def item_panels(drawn: Items, description: str) -> dict[str, Any]:
    """The spec of dots with intervals, items from top to bottom; kinds of an item below each other if `dodge`."""
    import altair as alt

    marks = [*drawn.rows, *drawn.behind]
    domain = domain_of(marks, ("x", "low", "high"), () if drawn.at is None else [drawn.at])
    x = alt.X("x:Q", title=drawn.axis, scale=alt.Scale(domain=domain, nice=False, zero=False))
    y = alt.Y("item:N", title=None, sort=None, scale=alt.Scale(domain=list(drawn.items)))
    dodge: dict[str, Any] = {}
    step = STEP
    if drawn.dodge:
        dodge = {"yOffset": alt.YOffset("kind:N", sort=None, scale=alt.Scale(domain=list(drawn.looks)))}
        step = 10 * len(drawn.looks) + 6
    tooltip = [
        word("panel", "of"),
        word("item", drawn.item),
        *([word("kind", "what")] if len(drawn.looks) > 1 else []),
        number("x", drawn.value),
        number("low", "interval from"),
        number("high", "interval to"),
        *drawn.tooltips,
    ]
    is_told = len(drawn.looks) > 1
    looks = coloured(drawn.looks, legend=is_told)
    picked = alt.selection_point(name="picked", fields=["kind"], bind="legend")
    opacity = alt.condition(picked, alt.value(1), alt.value(0.12)) if is_told else alt.value(1)
    layers: list[alt.Chart] = []
    if drawn.at is not None:
        layers.append(alt.Chart(data([{"x": drawn.at}])).mark_rule(style="quiet").encode(x=x))
    if drawn.behind:
        grey = [word("item", drawn.item), number("x", drawn.behind_is)]
        ticks = alt.Chart(data(drawn.behind)).mark_tick(style="quiet", thickness=3, size=STEP - 4, opacity=0.6)
        layers.append(ticks.encode(x=x, y=y, tooltip=grey))
    bars = alt.Chart().mark_rule(strokeWidth=2).transform_filter("isValid(datum.low) && isValid(datum.high)")
    dots = alt.Chart().mark_point(filled=True, size=48)
    bars = bars.encode(
        x=alt.X("low:Q"), x2="high:Q", y=y, color=looks["color"], tooltip=tooltip, opacity=opacity, **dodge
    )
    dots = dots.encode(x=x, y=y, tooltip=tooltip, opacity=opacity, **looks, **dodge)
    layers += [bars, dots.add_params(picked) if is_told else dots]
    return faceted(layers, drawn.rows, len(drawn.items) * step, max(map(len, drawn.items)), description)


class Lines(NamedTuple):
    """Curves, a panel for each source.

    rows: panel, x, y, run (rows of one run are one line), low and high (a band, or None); runs: thin rows of the same
    columns; behind: the reference's rows, in grey.
    """

    rows: Sequence[Row]
    x: str
    y: str
    tooltips: Sequence[alt.Tooltip]
    runs: Sequence[Row] = ()
    behind: Sequence[Row] = ()
    points: bool = True
    logarithmic: bool = False
    whole: bool = False  # whether x counts something
    colour: str = BLUE
    zero: bool = False


def line_panels(
    drawn: Lines,
    description: str,
    below: Sequence[alt.Chart] = (),
    above: Sequence[alt.Chart] = (),
    height: int = 150,
) -> dict[str, Any]:
    """The spec of a line a panel with its band and thin lines of its runs; all panels have what is `below`, `above`."""
    import altair as alt

    marks = [*drawn.rows, *drawn.runs, *drawn.behind]
    spans = domain_of(marks, ("x",), room=0.03), domain_of(marks, ("y", "low", "high"), [0.0] if drawn.zero else [])
    xs = alt.Scale(type="log", nice=False) if drawn.logarithmic else alt.Scale(domain=spans[0], nice=False, zero=False)
    steps: dict[str, Any] = {"tickMinStep": 1} if drawn.whole else {}
    x = alt.X("x:Q", title=drawn.x, scale=xs, axis=alt.Axis(tickCount=5, labelOverlap=True, **steps))
    y = alt.Y("y:Q", title=drawn.y, scale=alt.Scale(domain=spans[1], nice=False, zero=False))
    layers: list[alt.Chart] = list(below)
    if drawn.behind:
        grey = alt.Chart(data(drawn.behind)).mark_line(style="quiet", strokeWidth=1.5, opacity=0.7, fillOpacity=0)
        layers.append(grey.encode(x=x, y=y, detail="run:N", order="x:Q"))
    if any(row.get("low") is not None for row in drawn.rows):
        band = alt.Chart().mark_area(color=drawn.colour, opacity=0.2).transform_filter("isValid(datum.low)")
        layers.append(band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q"))
    thin = [row | {"thin": True} for row in drawn.runs]
    if thin:
        runs = alt.Chart().mark_line(color=drawn.colour, strokeWidth=0.8, opacity=0.6).transform_filter("datum.thin")
        layers.append(runs.encode(x=x, y=y, detail="run:N", order="x:Q"))
    line = alt.Chart().mark_line(color=drawn.colour, strokeWidth=2, point=False).transform_filter("!datum.thin")
    layers.append(line.encode(x=x, y=y, detail="run:N", order="x:Q"))
    dots = alt.Chart().mark_point(color=drawn.colour, filled=True, size=34 if drawn.points else 14)
    layers.append(dots.transform_filter("!datum.thin").encode(x=x, y=y, tooltip=[word("panel", "of"), *drawn.tooltips]))
    return faceted([*layers, *above], [*drawn.rows, *thin], height, 5, description)


def faceted(
    layers: Sequence[alt.Chart], rows: Sequence[Row], height: int, letters: int, description: str, least: int = LEAST
) -> dict[str, Any]:
    """Layers as panels by the column `panel`; letters: of the longest name at the left."""
    import altair as alt

    header = alt.Header(title=None, labelAnchor="start", labelOrient="top")
    order = {name: place for place, name in enumerate(dict.fromkeys(row["panel"] for row in rows))}
    facet = alt.Facet("panel:N", sort=alt.EncodingSortField("place", op="min", order="ascending"), header=header)
    layered = alt.layer(*layers).properties(width=240, height=height)
    placed = [row | {"place": order[row["panel"]]} for row in rows]
    chart = layered.facet(facet=facet, data=data(placed), columns=1)
    made = {"names": int(LETTER * letters) + 8, "least": least, "number": len(order)}
    return spec_of(chart, description) | {"usermeta": {"labelrisk": made}}
