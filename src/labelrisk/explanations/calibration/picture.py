"""The picture of calibration: a reliability curve with its band for each system, as it is and tempered."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import GREY, STYLE, WIDTH, save
from labelrisk.text_tables import cut

COLUMNS, MOST = 4, 16  # panels beside each other, and of all
LETTERS = 26
LOOKS = {  # of a kind: colour, the name above the panel
    "students": ("#0072B2", "{}"),
    "vote of seeds": ("#009E73", "vote of {}"),
    "annotator": ("#D55E00", "annotator {}"),
}


def draw_calibration(path: Path, curves: pd.DataFrame, confidence: float) -> None:
    """Draw a panel for each system: students first, then annotators, then votes as far as there is room.

    curves: system, kind, state, bin, rows, confidence, accuracy, low, high.
    """
    order = {"students": 0, "annotator": 1, "vote of seeds": 2}
    systems = sorted(curves.groupby(["kind", "system"], sort=False), key=lambda one: order[str(one[0][0])])
    shown = systems[:MOST]
    rows = -(-len(shown) // COLUMNS)
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.3 * rows + 0.8), layout="constrained")
        panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True).ravel()
        least = 100 * min(curves["confidence"].min(), curves["low"].min())
        for axes, ((kind, system), of) in zip(panels, shown, strict=False):
            colour, title = LOOKS[str(kind)]
            _draw_panel(axes, of, colour)
            axes.set_title(title.format(cut(str(system), LETTERS)), fontsize=9)
            axes.set_xlim(least - 2, 102)
            axes.set_ylim(least - 2, 102)
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
        left = f"; {len(systems) - len(shown)} more in the table" if len(systems) > len(shown) else ""
        figure.supxlabel(f"mean confidence of the bin (x100){left}", fontsize=9)
        figure.supylabel(f"accuracy (x100), {100 * confidence:.4g} % band", fontsize=9)
        save(figure, path)


def _draw_panel(axes: Axes, curve: pd.DataFrame, colour: str) -> None:
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=0.8, linestyle=":", label="sure as often as right")
    as_is, tempered = (100 * curve[curve["state"] == state].drop(columns=["system", "kind", "state"])
                       for state in ("as they are", "tempered"))  # fmt: skip
    axes.fill_between(as_is["confidence"], as_is["low"], as_is["high"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(as_is["confidence"], as_is["accuracy"], "o-", color=colour, markersize=3, linewidth=1, label="as it is")
    if len(tempered):
        axes.plot(
            tempered["confidence"], tempered["accuracy"], "x--", color="black", markersize=3.5, linewidth=0.8,
            label="tempered on validation rows",
        )  # fmt: skip
    axes.grid(color="#e5e5e5")
    axes.set_axisbelow(True)
