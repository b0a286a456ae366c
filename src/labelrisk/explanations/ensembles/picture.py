"""The picture of ensembles: scores in each way, what each further student brings, and how far ensembles agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from labelrisk.comparison.pictures.style import COLOURS, DASHES, GREY, STYLE, WIDTH, save
from labelrisk.explanations.ensembles.distilled_student import Distilled
from labelrisk.explanations.ensembles.sizes import Size
from labelrisk.text_tables import cut

LETTERS = 30  # of a name
ROW = 0.42  # inches of an ensemble
LOOKS = {  # of a way: marker, colour, words, place within the row
    "mean student": ("|", GREY, "mean student", 0.3),
    "best student": ("o", GREY, "best student by validation", 0.15),
    "vote": ("D", "black", "vote", 0.0),
    "weighted vote": ("^", "#0072B2", "weighted by validation", -0.15),
    "stacked": ("s", "#D55E00", "stacked", -0.3),
}
DISTILLED = ("*", "#009E73", "distilled into one student", -0.42)
CURVES = 8  # sources whose curves can be told apart
STEP = 0.02  # of a student, between the curves of sources


def draw_ensembles(
    path: Path, table: pd.DataFrame, sizes: Mapping[str, Sequence[Size]], distilled: Distilled | None, chosen: str
) -> None:
    """Draw scores above, and below macro-F1 and alpha against the number of students that vote.

    `table` has the columns ensemble, way, macro_f1, low and high; the chosen ensemble's name is bold.
    """
    names = list(dict.fromkeys(table["ensemble"]))
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, ROW * len(names) + 4.6), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(2, 2, height_ratios=[ROW * len(names) + 0.8, 3.2])
        scores, gains, alphas = (figure.add_subplot(of) for of in (grid[0, :], grid[1, 0], grid[1, 1]))
        _draw_scores(scores, table, names, distilled, chosen)
        _draw_curves(gains, alphas, sizes)
        figure.legend(
            *gains.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, title="source"
        )
        save(figure, path)


def _draw_scores(axes: Axes, table: pd.DataFrame, names: list[str], distilled: Distilled | None, chosen: str) -> None:
    rows = {name: len(names) - 1 - place for place, name in enumerate(names)}
    for way, (marker, colour, words, place) in LOOKS.items():
        of = table[table["way"] == way]
        at = [rows[str(name)] + place for name in of["ensemble"]]
        axes.hlines(at, 100 * of["low"], 100 * of["high"], color=colour, linewidth=0.8)
        axes.plot(100 * of["macro_f1"], at, marker, color=colour, markersize=6, label=words)
    if distilled is not None and chosen in rows:
        marker, colour, words, place = DISTILLED
        low, high, at_one = distilled.macro_f1.low, distilled.macro_f1.high, rows[chosen] + place
        axes.hlines([at_one], [100 * low], [100 * high], color=colour, linewidth=0.8)
        axes.plot([100 * distilled.macro_f1.estimate], [at_one], marker, color=colour, markersize=8, label=words)
    axes.set_yticks(list(rows.values()), [cut(name, LETTERS) for name in rows])
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if name == chosen else "normal")
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlabel("macro-F1 on test (x100) with intervals; bold: the chosen ensemble")
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _draw_curves(gains: Axes, alphas: Axes, sizes: Mapping[str, Sequence[Size]]) -> None:
    looks = cycle((colour, dash) for dash in DASHES for colour in ("black", *COLOURS))
    drawn = list(zip(sizes.items(), looks, strict=False))[:CURVES]
    for place, ((source, found), (colour, dash)) in enumerate(drawn):
        beside = STEP * (place - (len(drawn) - 1) / 2)  # or the intervals would hide each other
        members = [one.members for one in found]
        gains.plot(
            members, [100 * one.macro_f1 for one in found], dash, color=colour, marker=".", label=cut(source, LETTERS)
        )
        told = [(one.members + beside, one.alpha) for one in found if one.alpha is not None]
        alphas.plot([at for at, _ in told], [of.estimate for _, of in told], dash, color=colour, marker=".")
        for at, of in told:
            alphas.vlines(at, of.low, of.high, color=colour, linewidth=0.8, alpha=0.6)
    gains.set_ylabel("macro-F1 of the vote (x100)")
    alphas.set_ylabel("alpha of two disjoint ensembles")
    for axes in (gains, alphas):
        axes.set_xlabel("students that vote: what a prediction costs")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
