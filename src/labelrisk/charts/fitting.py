"""Charts at the width that there is: how many panels stand side by side, how long a name may be."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

GAP = 18  # pixels between panels
EDGE = 14  # pixels that the last number of an axis may need on the right
AXIS = 26  # pixels beside the names on the left: ticks and the title of the axis
LEGEND = 145  # pixels of a symbol and its name

# `fitted` for the page; `spec` stays as it is.
SCRIPT = f"""
function labelriskFitted(spec, width) {{
  const fitted = JSON.parse(JSON.stringify(spec));
  const names = Math.round(Math.min(230, 0.3 * width));
  fitted.config = {{
    axisY: {{labelLimit: names}},
    legend: {{columns: Math.max(1, Math.floor((width - 40) / {LEGEND})), labelLimit: {LEGEND - 17}}},
  }};
  const panels = ((fitted.usermeta || {{}}).labelrisk || {{}});
  if (!fitted.facet) {{
    fitted.width = Math.floor(width);
    fitted.autosize = {{type: "fit-x", contains: "padding"}};
    return fitted;
  }}
  const room = width - Math.min(names, panels.names) - {AXIS + EDGE};
  const most = Math.floor((room + {GAP}) / (panels.least + {GAP}));
  const wanted = Math.max(1, Math.min(panels.number, most));
  const columns = Math.ceil(panels.number / Math.ceil(panels.number / wanted));
  fitted.columns = columns;
  fitted.spacing = {GAP};
  fitted.spec.width = Math.max(60, Math.floor((room - {GAP} * (columns - 1)) / columns));
  fitted.config.legend.columns = Math.max(1, Math.floor(room / {LEGEND}));
  fitted.config.header = {{labelLimit: fitted.spec.width}};
  return fitted;
}}
"""


def fitted(spec: Mapping[str, Any], width: int) -> dict[str, Any]:
    """The spec for a place that is `width` pixels wide; SCRIPT does the same in a browser.

    A chart of panels puts as many side by side as there is room for: Vega-Lite itself fits single views alone.
    """
    made = copy.deepcopy(dict(spec))
    names = int(min(230, 0.3 * width) + 0.5)
    legend = {"columns": max(1, (width - 40) // LEGEND), "labelLimit": LEGEND - 17}
    made["config"] = {"axisY": {"labelLimit": names}, "legend": legend}
    if "facet" not in made:
        return made | {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
    panels = made["usermeta"]["labelrisk"]
    room = width - min(names, panels["names"]) - AXIS - EDGE
    wanted = max(1, min(panels["number"], (room + GAP) // (panels["least"] + GAP)))
    columns = -(-panels["number"] // -(-panels["number"] // wanted))  # as many in each line as evenly as can be
    made |= {"columns": columns, "spacing": GAP}
    made["spec"]["width"] = max(60, (room - GAP * (columns - 1)) // columns)
    made["config"]["legend"]["columns"] = max(1, room // LEGEND)
    made["config"]["header"] = {"labelLimit": made["spec"]["width"]}
    return made
