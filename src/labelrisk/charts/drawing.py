"""What the pictures of all charts share: data, tooltips, looks by word, and the spec that comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labelrisk.charts.study_files import Row

if TYPE_CHECKING:
    import altair as alt

LETTER = 6.0  # pixels of a letter at 12 pixels, on average


class Look(NamedTuple):
    """How a word is drawn: a colour, a shape for who tells no colours apart, and its area in pixels."""

    colour: str
    shape: str
    size: int = 75


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Rows as they are."""
    import altair as alt

    return alt.InlineData(values=list(rows))


def number(field: str, title: str) -> alt.Tooltip:
    """A line of a tooltip with an exact number."""
    import altair as alt

    return alt.Tooltip(field=field, type="quantitative", title=title, format=",.2~f")


def word(field: str, title: str) -> alt.Tooltip:
    """A line of a tooltip with a text."""
    import altair as alt

    return alt.Tooltip(field=field, type="nominal", title=title)


def coloured(looks: Mapping[str, Look], field: str = "kind", legend: bool = True) -> dict[str, Any]:
    """The encodings `color` and `shape` of a column whose words are `looks`."""
    import altair as alt

    known = alt.Legend(title=None, orient="top") if legend else None
    domain = list(looks)
    colours = alt.Scale(domain=domain, range=[look.colour for look in looks.values()])
    shapes = alt.Scale(domain=domain, range=[look.shape for look in looks.values()])
    return {
        "color": alt.Color(field=field, type="nominal", scale=colours, legend=known),
        "shape": alt.Shape(field=field, type="nominal", scale=shapes, legend=known),
    }


def domain_of(
    rows: Sequence[Row], fields: Sequence[str], also: Sequence[float] = (), room: float = 0.04
) -> list[float]:
    """The span of all numbers in `fields` and of `also`, a little wider."""
    values = [*also, *(row[field] for row in rows for field in fields if row.get(field) is not None)]
    low, high = min(values), max(values)
    edge = room * (high - low) or 1.0
    return [round(low - edge, 2), round(high + edge, 2)]


def spec_of(chart: alt.TopLevelMixin, description: str) -> dict[str, Any]:
    """The chart as a valid spec without a theme of its own."""
    spec: dict[str, Any] = chart.properties(description=description).to_dict()  # type: ignore[attr-defined]
    spec.pop("config", None)
    return spec
