"""Pictures of what evaluate measured, as PNG files with the same bytes at every run.

Legible at a README's width (about 900 pixels) and with colour-blind eyes; names as they stand in params.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

WIDTH = 9.0  # inches; 900 pixels are then 100 per inch, and 9 point letters 12 pixels high
LOOK: dict[str, Any] = {
    "font.size": 9,
    "text.parse_math": False,  # a '$' in a class name is a dollar sign
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.dpi": 150,
}
# Okabe & Ito's colours without yellow, which is too pale on white; black is the reference's.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2")
DASHES = ("-", "--", ":", "-.")
GREY = "#777777"


def f1_by_source(
    path: Path,
    scores: pd.DataFrame,
    reference: str,
    votes: Mapping[str, float] | None = None,
    annotators: Mapping[str, float] | None = None,
) -> None:
    """Draw each seed's macro-F1 as a dot, mean and sd, by source from top to bottom in the order of `scores`.

    `scores` has the columns source, seed, macro_f1. A line marks the reference's mean, diamonds the `votes` of all
    seeds of a source, squares at the bottom the `annotators` themselves on the same test rows.
    """
    runs = {name: 100 * of["macro_f1"].to_numpy(float) for name, of in scores.groupby("source", sort=False)}
    direct = {name: 100 * value for name, value in (annotators or {}).items() if not np.isnan(value)}
    labels = [*map(str, runs), *(f"{name} (annotator)" for name in direct)]
    with style.context(["default", LOOK]):
        figure = Figure(figsize=(WIDTH, 1.3 + 0.4 * len(labels)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(runs[reference].mean(), color=GREY, linestyle="--", linewidth=1, label=f"mean of {reference}")
        for row, values in enumerate(runs.values()):
            _draw_seeds(axes, row, values, is_first=row == 0)
        if votes:
            rows = [row for row, name in enumerate(runs) if name in votes]
            f1 = [100 * votes[str(name)] for name in runs if name in votes]
            axes.plot(f1, rows, "D", color="#D55E00", markersize=7, markeredgecolor="white", label="vote of all seeds")
        for row, (name, value) in enumerate(direct.items(), start=len(runs)):
            label = "annotator used directly" if name == next(iter(direct)) else None
            axes.plot(value, row, "s", color="#009E73", markersize=7, markeredgecolor="white", label=label)
            _write_beside(axes, row, f"{value:.1f}")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlabel("macro-F1 on the test rows (x100)")
        axes.grid(axis="x", color="#e5e5e5")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=5, frameon=False)
        _save(figure, path)


def _draw_seeds(axes: Axes, row: int, values: NDArray[np.float64], is_first: bool) -> None:
    spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(1)
    dots, mean_sd = ("one seed", "mean, sd") if is_first else (None, None)
    axes.plot(values, row + spread, "o", color="#56B4E9", markersize=5, markeredgewidth=0, label=dots)
    sd = values.std(ddof=1) if len(values) > 1 else 0.0
    axes.errorbar(
        values.mean(), row, xerr=sd, fmt="|", color="black", markersize=14, capsize=3, label=mean_sd, zorder=5
    )
    _write_beside(axes, row, f"{values.mean():.1f} ({sd:.1f})" if len(values) > 1 else f"{values.mean():.1f}")


def _write_beside(axes: Axes, row: int, text: str) -> None:
    axes.text(1.01, row, text, transform=axes.get_yaxis_transform(), va="center")


def curves(path: Path, frame: pd.DataFrame, reference: str, validation: str | None, loss: str | None) -> None:
    """Draw validation macro-F1 and training loss by step: thin lines per seed, a thick mean over seeds per source.

    `frame` has the columns source, seed, step and the metrics named by `validation` and `loss` (None: not logged).
    """
    sources = list(dict.fromkeys(frame["source"]))
    others = [source for source in sources if source != reference]
    looks = dict(zip(others, islice(cycle((c, d) for d, c in product(DASHES, COLOURS)), len(others)), strict=True))
    panels = [(name, title) for name, title in ((validation, "validation macro-F1"), (loss, "training loss")) if name]
    with style.context(["default", LOOK]):
        figure = Figure(figsize=(WIDTH, 3.4 + 0.2 * -(-len(sources) // 3)), layout="constrained")
        for place, (metric, title) in enumerate(panels, start=1):
            axes = figure.add_subplot(1, len(panels), place)
            for source in sources:
                colour, dash = looks.get(source, ("black", "-"))
                logged = frame[frame["source"] == source].dropna(subset=metric)
                for _, run in logged.groupby("seed", sort=False):
                    axes.plot(run["step"], run[metric], color=colour, linestyle=dash, linewidth=0.6, alpha=0.35)
                mean = logged.groupby("step")[metric].mean()
                label = source if place == 1 else None
                marker = "o" if len(mean) <= 10 else ""  # one epoch gives one point, which has no line
                axes.plot(mean.index, mean, marker + dash, color=colour, linewidth=2, markersize=4, label=label)
            axes.set_title(title, fontsize=10)
            axes.set_xlabel("training step")
            axes.grid(color="#e5e5e5")
        if panels:
            figure.legend(loc="outside lower center", ncols=3, frameon=False)
        _save(figure, path)


def confusions(path: Path, panels: Mapping[str, NDArray[Any]], classes: Sequence[str]) -> None:
    """Draw one confusion matrix per panel: title -> counts (K, K + 1) with the missing labels in the last column.

    Colour is the share of the gold class; columns are numbered as the rows, so that long class names stand once.
    """
    has_missing = any(counts[:, -1].any() for counts in panels.values())
    shown = len(classes) + has_missing
    names = [name if len(name) <= 32 else f"{name[:16]}…{name[-15:]}" for name in classes]
    numbered = [f"{name}  {number}" for number, name in enumerate(names, start=1)]
    caption = "rows: gold, columns: predicted, numbered alike" + (", -: no label" if has_missing else "")
    with style.context(["default", LOOK]):
        left = 0.3 + max(TextPath((0, 0), name, size=LOOK["font.size"]).get_extents().width for name in numbered) / 72
        columns = int(np.clip((WIDTH - left) // (0.34 * shown + 0.3), 1, min(3, len(panels))))
        widest = 4.2 if columns == 1 and shown < 11 else WIDTH  # few classes in one panel need no full page
        cell = min((WIDTH - left) / columns - 0.3, widest) / shown
        size = (cell * shown, cell * len(classes))
        step = (size[0] + 0.3, size[1] + 0.75)
        height = -(-len(panels) // columns) * step[1] + 0.35
        figure = Figure(figsize=(WIDTH, height))
        figure.text(0.1 / WIDTH, 1 - 0.2 / height, f"{caption}; colour: share of the gold class", va="center")
        for place, (title, counts) in enumerate(panels.items()):
            row, column = divmod(place, columns)
            x, y = left + column * step[0], height - (row + 1) * step[1]
            axes = figure.add_axes((x / WIDTH, y / height, size[0] / WIDTH, size[1] / height))
            _draw_matrix(axes, counts[:, :shown], cell)
            axes.set_title(title, fontsize=9)
            axes.set_yticks(range(len(classes)), numbered if column == 0 else [""] * len(classes))
            axes.set_xticks(range(shown), [*map(str, range(1, len(classes) + 1)), "-"][:shown])
        _save(figure, path)


def _draw_matrix(axes: Axes, counts: NDArray[Any], cell: float) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.tick_params(length=0)
    digits = max(len(str(counts.max())), 2)
    fontsize = min(9.0, cell * 72 / (0.7 * digits))
    if fontsize < 5:  # would be a smear: colours alone say more
        return
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=fontsize, color=colour)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="png", metadata={"Software": None})  # a version in the file would change its bytes
