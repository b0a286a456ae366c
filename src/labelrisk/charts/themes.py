"""Colours and letters of charts on a light and on a dark page."""

from __future__ import annotations

from typing import Any, Literal

Theme = Literal["light", "dark"]

# of Okabe & Ito (2008), told apart with any colour vision, those that have a contrast of 3 on white and on near-black
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#B8629A", "#808080"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, GREY)

INK = {"light": "#1b1b1b", "dark": "#ededed"}
QUIET = {"light": "#5c5c5c", "dark": "#a8a8a8"}
LINE = {"light": "#dcdcdc", "dark": "#3f3f3f"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


def config_of(theme: Theme) -> dict[str, Any]:
    """The config that the page gives to Vega-Embed: the page's own background shows through."""
    ink, quiet, line = INK[theme], QUIET[theme], LINE[theme]
    return {
        "background": "transparent",
        "font": FONT,
        "padding": 4,
        "view": {"stroke": "transparent"},
        "text": {"color": ink, "fontSize": 12},
        "rule": {"color": ink},
        "tick": {"color": ink},
        "style": {"quiet": {"stroke": quiet, "fill": quiet, "color": quiet}, "ink": {"stroke": ink, "fill": ink}},
        "axis": {
            "labelColor": ink,
            "titleColor": quiet,
            "titleFontWeight": "normal",
            "labelFontSize": 12,
            "titleFontSize": 12,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
        },
        "legend": {"labelColor": ink, "titleColor": quiet, "labelFontSize": 12, "titleFontSize": 12, "symbolSize": 80},
        "header": {"labelColor": ink, "titleColor": quiet, "labelFontSize": 12, "labelFontWeight": "bold"},
    }
