"""The picture of robustness: flips by single edit, and along chains of edits, by source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import COLOURS, DASHES, STYLE, WIDTH, save
from labelrisk.text_tables import cut

LETTERS = 34  # of a source's name
SPREAD = 0.7  # of the distance between edits, over which the sources of one are spread


def draw_robustness(path: Path, edits: pd.DataFrame, chains: pd.DataFrame, reference: str, confidence: float) -> None:
    """Draw by edit, source by source, the share of flipped labels with its interval; beside it the curve of chains.

    edits: columns source, edit, flipped, flipped_low, flipped_high; chains: source, edits, by_then, by_then_low,
    by_then_high.  What there is none of has no panel.
    """
    names = list(dict.fromkeys([*edits["source"], *chains["source"]]))
    looks = _looks(names, reference)
    panels = [frame for frame in (edits, chains) if len(frame)]
    of_edits = edits["edit"].nunique()
    height = max(3.6, 1.2 + of_edits * (0.2 + 0.08 * len(names)) + 0.06 * len(names))
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        drawn = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, frame in zip(drawn, panels, strict=True):
            if frame is edits:
                _draw_edits(axes, frame, names, looks, confidence)
            else:
                _draw_chains(axes, frame, names, looks, confidence)
            axes.set_axisbelow(True)
        handles, labels = drawn[-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        save(figure, path)


def _looks(names: list[str], reference: str) -> dict[str, tuple[str, str]]:
    """Colour and dashes of each source; the reference is black."""
    others = [name for name in names if name != reference]
    looks = {
        name: (COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)])
        for place, name in enumerate(others)
    }
    return looks | {reference: ("black", "-")}


def _draw_edits(
    axes: Axes, frame: pd.DataFrame, names: list[str], looks: dict[str, tuple[str, str]], confidence: float
) -> None:
    kinds = list(dict.fromkeys(frame["edit"]))
    for place, name in enumerate(names):
        of = frame[frame["source"] == name].set_index("edit").loc[kinds]
        rows = np.arange(len(kinds)) + SPREAD * ((place + 0.5) / len(names) - 0.5)
        colour, _ = looks[name]
        axes.hlines(rows, 100 * of["flipped_low"], 100 * of["flipped_high"], color=colour, linewidth=1, alpha=0.6)
        axes.plot(
            100 * of["flipped"], rows, "o", color=colour, markersize=4.5, markeredgewidth=0, label=cut(name, LETTERS)
        )
    axes.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"labels flipped by one edit (%), {100 * confidence:.4g} % interval")
    axes.set_title("single edits", fontsize="medium")
    axes.grid(axis="x", color="#e5e5e5")
    axes.tick_params(axis="y", length=0)


def _draw_chains(
    axes: Axes, frame: pd.DataFrame, names: list[str], looks: dict[str, tuple[str, str]], confidence: float
) -> None:
    for name in names:
        of = frame[frame["source"] == name]
        colour, dashes = looks[name]
        steps, shares = [0, *of["edits"]], [0.0, *(100 * of["by_then"])]
        axes.plot(steps, shares, "o", linestyle=dashes, color=colour, markersize=3.5, label=cut(name, LETTERS))
    last = frame[frame["edits"] == frame["edits"].max()].set_index("source").loc[names]
    beside = float(frame["edits"].max()) + 0.15 + 0.5 * np.arange(len(names)) / max(len(names), 4)
    colours = [looks[name][0] for name in names]
    axes.vlines(beside, 100 * last["by_then_low"], 100 * last["by_then_high"], color=colours, linewidth=1.2, alpha=0.6)
    axes.set_xticks(range(int(frame["edits"].max()) + 1))
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"edits of the chain; at its end {100 * confidence:.4g} % intervals")
    axes.set_ylabel("labels flipped by then (%)")
    axes.set_title("chains of edits", fontsize="medium")
    axes.grid(color="#e5e5e5")
