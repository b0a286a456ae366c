"""The picture of macro-F1 by source: a dot per seed, the mean, the votes, and what does without a student."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import GREY, STYLE, WIDTH, save
from labelrisk.statistics.scores import Floats


def draw_f1_by_source(
    path: Path,
    scores: pd.DataFrame,
    reference: str,
    votes: Mapping[str, float] | None = None,
    without_student: Mapping[str, float] | None = None,
) -> None:
    """Draw each seed's macro-F1 as a dot, mean and sd, by source from top to bottom in the order of `scores`.

    `scores` has the columns source, seed, macro_f1. A line marks the reference's mean, diamonds the `votes` of all
    seeds of a source, squares at the bottom what classifies the same test rows `without_student`.
    """
    runs = {name: 100 * of["macro_f1"].to_numpy(float) for name, of in scores.groupby("source", sort=False)}
    direct = {name: 100 * value for name, value in (without_student or {}).items() if not np.isnan(value)}
    labels = [*map(str, runs), *direct]
    with style.context(STYLE):
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
            label = "without a student" if name == next(iter(direct)) else None
            axes.plot(value, row, "s", color="#009E73", markersize=7, markeredgecolor="white", label=label)
            _write_beside(axes, row, f"{value:.1f}")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlabel("macro-F1 on the test rows (x100)")
        axes.grid(axis="x", color="#e5e5e5")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=5, frameon=False)
        save(figure, path)


def _draw_seeds(axes: Axes, row: int, values: Floats, is_first: bool) -> None:
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
