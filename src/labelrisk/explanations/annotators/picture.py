"""The pictures of annotators side by side: agreement and shared errors of pairs; annotators against their students."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from labelrisk.comparison.pictures.labels_beside import write_labels
from labelrisk.comparison.pictures.style import COLOURS, GREY, STYLE, WIDTH, save
from labelrisk.text_tables import cut

LETTERS = 18  # of an annotator's name
MOST = 30  # pairs that are drawn
LOOKS = {"shared": "#D55E00", "shared less": "#0072B2", "not decided": GREY, "by construction": "black"}


def draw_pairs(path: Path, table: pd.DataFrame, confidence: float) -> None:
    """Draw a line for each pair: Cohen's kappa, and shared errors over those expected; those that share most first.

    `table` has the columns of pairs_table, all of one split.  Of pairs that agree by construction no ratio is drawn.
    """
    known = table["decision"] != "by construction"
    order = table["both_wrong_ratio"].where(known, -1.0).fillna(-0.5).sort_values(ascending=False, kind="stable").index
    drawn, places = table.loc[order[:MOST]], np.arange(min(len(table), MOST))
    colours = [LOOKS[word] for word in drawn["decision"]]
    pairs = zip(drawn["one"], drawn["other"], strict=True)
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.7 + 0.26 * len(drawn)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _draw_bars(left, drawn, "kappa", places, colours)
        judged = drawn.mask(drawn["decision"] == "by construction")
        _draw_bars(right, judged, "both_wrong_ratio", places, colours)
        right.scatter(judged["same_wrong_ratio"], places, marker="D", edgecolors=colours, facecolors="white", s=26)
        right.axvline(1, color=GREY, linestyle="--", linewidth=1, label="independent errors")
        right.plot([], [], "o", color="black", label="both wrong")
        right.plot([], [], "D", color="black", markerfacecolor="white", label="same wrong label")
        for word in dict.fromkeys(drawn["decision"]):
            right.plot([], [], "s", color=LOOKS[str(word)], label=str(word))
        left.set_yticks(places, [f"{cut(one, LETTERS)}, {cut(other, LETTERS)}" for one, other in pairs])
        left.set_ylim(len(drawn) - 0.5, -0.5)
        left.set_xlim(min(0.0, float(drawn["kappa_low"].min())) - 0.02, 1.02)
        left.set_xlabel(f"Cohen's kappa on {table['split'].iloc[0]} rows")
        right.set_xlabel("shared errors over those expected")
        shown = "" if len(table) <= MOST else f", {MOST} of {len(table)} pairs"
        figure.suptitle(f"{100 * confidence:.4g} % intervals over gold rows{shown}", fontsize=9)
        figure.legend(loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)


def _draw_bars(axes: Axes, table: pd.DataFrame, name: str, places: NDArray[np.int64], colours: list[str]) -> None:
    axes.hlines(places, table[f"{name}_low"], table[f"{name}_high"], color=colours)
    axes.scatter(table[name], places, color=colours, s=30, zorder=2)
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def draw_students(path: Path, table: pd.DataFrame, confidence: float) -> None:
    """Draw students' macro-F1 against the accuracy of the train labels that they learned from, with both intervals.

    `table` has the columns of taught_row; annotators whose accuracy is not known are left out.
    """
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(table))]
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH * 0.75, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        x, y = 100 * table["train_accuracy"].to_numpy(), 100 * table["student_macro_f1"].to_numpy()
        low, high = (100 * table[f"student_macro_f1_{end}"].to_numpy() for end in ("low", "high"))
        axes.vlines(x, low, high, color=colours, linewidth=1)
        axes.hlines(
            y, 100 * table["train_accuracy_low"], 100 * table["train_accuracy_high"], color=colours, linewidth=1
        )
        axes.scatter(x, y, color=colours, zorder=3)
        axes.set_xlabel(f"accuracy of the annotator's labels of train rows (x100), {100 * confidence:.4g} % interval")
        axes.set_ylabel("macro-F1 of students on test (x100)")
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
        axes.margins(0.15)
        figure.draw_without_rendering()  # places the axes: only now is known how far apart points are
        figure.set_layout_engine("none")
        names = [cut(name, LETTERS) for name in table["annotator"]]
        write_labels(axes, list(zip(x, y, strict=True)), names, colours)
        save(figure, path)
