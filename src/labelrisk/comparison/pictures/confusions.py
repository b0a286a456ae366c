"""The picture of confusion matrices, a panel each: colour is the share of the gold class, numbers are rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from labelrisk.comparison.pictures.style import FONT_SIZE, STYLE, WIDTH, save
from labelrisk.statistics.scores import Counts


def draw_confusions(path: Path, panels: Mapping[str, Counts], classes: Sequence[str]) -> None:
    """Draw one confusion matrix per panel: title -> counts (K, K + 1) with the missing labels in the last column.

    Colour is the share of the gold class; columns are numbered as the rows, so that long class names stand once.
    """
    has_missing = any(counts[:, -1].any() for counts in panels.values())
    shown = len(classes) + has_missing
    names = [name if len(name) <= 32 else f"{name[:16]}…{name[-15:]}" for name in classes]
    numbered = [f"{name}  {number}" for number, name in enumerate(names, start=1)]
    caption = "rows: gold, columns: predicted, numbered alike" + (", -: no label" if has_missing else "")
    with style.context(STYLE):
        left = 0.3 + max(TextPath((0, 0), name, size=FONT_SIZE).get_extents().width for name in numbered) / 72
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
        save(figure, path)


def _draw_matrix(axes: Axes, counts: Counts, cell: float) -> None:
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
