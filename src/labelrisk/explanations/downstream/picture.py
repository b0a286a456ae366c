"""The picture of downstream estimates: dots with intervals by method, and the truth of all rows as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import GREY, STYLE, WIDTH, save
from labelrisk.explanations.downstream.repeated_draws import ALONE, NAIVE, POWERED, SUPERVISED
from labelrisk.text_tables import cut

if TYPE_CHECKING:
    from labelrisk.explanations.downstream.sentences import Estimand, Labels

MOST = 8  # estimates in a panel: those of which labels as they are lead furthest away
LETTERS = 22  # of a name
LOOKS = {  # of a method: marker, colour, words
    NAIVE: ("X", "#D55E00", "labels as they are"),
    ALONE: ("o", GREY, "gold rows alone"),
    POWERED: ("D", "#0072B2", "PPI++"),
    SUPERVISED: ("s", "#009E73", "DSL"),
}


def draw_estimates(path: Path, shown: Mapping[Labels, Sequence[Estimand]], unit: str, confidence: float) -> None:
    """Draw a panel for each of the labels beside the other; of each estimate one draw of gold rows, and its truth."""
    first = next(iter(shown.values()))
    names = [one.name for one in sorted(first, key=lambda one: -abs(one.methods[NAIVE].bias))[:MOST]]
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.7 + 0.75 * len(names)), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(shown), sharey=True, sharex=True, squeeze=False)[0]
        for axes, (labels, several) in zip(panels, shown.items(), strict=True):
            of = {one.name: one for one in several}
            _draw_panel(axes, [of[name] for name in names])
            axes.set_title(
                f"{'annotator' if labels.kind == 'annotator' else 'students of'} {cut(labels.name, LETTERS)}"
            )
        panels[0].set_yticks(range(len(names)), [cut(name, LETTERS) for name in names])
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        figure.supxlabel(
            f"{unit}, {100 * confidence:.4g} % interval, one draw of {first[0].chosen} gold rows", fontsize=9
        )
        handles, words = panels[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside upper center", ncols=5, frameon=False)
        save(figure, path)


def _draw_panel(axes: Axes, several: Sequence[Estimand]) -> None:
    for place, one in enumerate(several):
        word = "" if place else "gold of all rows"
        axes.vlines(100 * one.truth, place - 0.42, place + 0.42, color="black", linewidth=1.4, label=word)
        for step, (method, (marker, colour, words)) in enumerate(LOOKS.items()):
            told, at = one.methods[method], place + 0.2 * (step - 1.5)
            axes.hlines(at, 100 * told.low, 100 * told.high, color=colour, linewidth=1.4)
            axes.plot(
                100 * told.estimate, at, marker, color=colour, markersize=6, markeredgecolor="white",
                label="" if place else words,
            )  # fmt: skip
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
