"""The picture of selective use: of the rows that are answered, how many are wrong, against how many are answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import GREY, STYLE, WIDTH, save
from labelrisk.statistics.scores import Floats
from labelrisk.text_tables import cut

ACROSS = 3  # panels
LETTERS = 40  # of a title
SEEN, SURE, RISK = "#0072B2", "#009E73", "#D55E00"


class Panel(NamedTuple):
    """One way of answering: shares of rows that are answered (P,), errors among them and their pointwise bound (P,).

    point: the certified share and the errors seen among its answers, None without one.
    """

    title: str
    answered: Floats
    errors: Floats
    bounds: Floats
    point: tuple[float, float] | None


def draw_certificates(path: Path, panels: Sequence[Panel], risk: float, confidence: float) -> None:
    """Draw a small panel for each way of answering, with the same axes, and the stated risk in each."""
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    most = min(1.0, 1.15 * max(max(float(one.errors.max()) for one in panels), 2 * risk))
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.8 + 2.3 * down), layout="constrained")
        shared: Axes | None = None
        for place, panel in enumerate(panels, start=1):
            axes = figure.add_subplot(down, across, place, sharex=shared, sharey=shared)
            shared = shared or axes
            _draw_panel(axes, panel, risk, confidence)
            if place > len(panels) - across:
                axes.set_xlabel("rows answered (%)")
            if place % across == 1 or across == 1:
                axes.set_ylabel("wrong among them (%)")
        assert shared is not None
        shared.set_xlim(0, 103)
        shared.set_ylim(0, 100 * most)
        handles = {
            label: one for axes in figure.axes for one, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)


def _draw_panel(axes: Axes, panel: Panel, risk: float, confidence: float) -> None:
    answered = 100 * panel.answered
    axes.axhline(100 * risk, color=RISK, linewidth=1, linestyle="--", label=f"stated risk, {100 * risk:.4g} %")
    axes.plot(answered, 100 * panel.errors, color=SEEN, linewidth=1.6, label="on the test rows")
    bound = f"{100 * confidence:.4g} % bound of each point alone"
    axes.fill_between(
        answered, 100 * panel.errors, 100 * panel.bounds, color=SEEN, alpha=0.15, linewidth=0, label=bound
    )
    if panel.point is not None:
        share, errors = (100 * value for value in panel.point)
        axes.axvline(share, ymax=0.94, color=SURE, linewidth=1)
        axes.plot(share, errors, "D", color=SURE, markersize=7, markeredgecolor="white", label="certified", zorder=5)
        side, gap = ("right", -2) if share > 50 else ("left", 2)
        axes.text(
            share + gap, 0.93, f"{share:.0f} %", color=SURE, ha=side, va="top", transform=axes.get_xaxis_transform()
        )
    else:
        axes.text(0.5, 0.93, "none certified", color=GREY, ha="center", va="top", transform=axes.transAxes)
    axes.set_title(cut(panel.title, LETTERS), fontsize=9)
    axes.grid(color="#e5e5e5")
    axes.set_axisbelow(True)
