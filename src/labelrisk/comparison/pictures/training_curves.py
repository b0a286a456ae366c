"""The picture of training: validation macro-F1 and training loss by step."""

from __future__ import annotations

from itertools import cycle, islice, product
from pathlib import Path

import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import COLOURS, DASHES, STYLE, WIDTH, save


def draw_training_curves(
    path: Path, frame: pd.DataFrame, reference: str, validation: str | None, loss: str | None
) -> None:
    """Draw validation macro-F1 and training loss by step: thin lines per seed, a thick mean over seeds per source.

    `frame` has the columns source, seed, step and the metrics named by `validation` and `loss` (None: not logged).
    """
    sources = list(dict.fromkeys(frame["source"]))
    others = [source for source in sources if source != reference]
    looks = dict(zip(others, islice(cycle((c, d) for d, c in product(DASHES, COLOURS)), len(others)), strict=True))
    panels = [(name, title) for name, title in ((validation, "validation macro-F1"), (loss, "training loss")) if name]
    with style.context(STYLE):
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
        save(figure, path)
