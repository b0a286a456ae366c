"""The picture of learning curves: macro-F1 by number of train rows, with the laws that were fitted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from labelrisk.comparison.pictures.style import COLOURS, DASHES, STYLE, WIDTH, save
from labelrisk.statistics.power_laws import MISFIT, PowerLaw
from labelrisk.text_tables import cut

LETTERS = 34  # of a source's name
BEYOND = 2.0  # times the largest size up to which laws are drawn
ASIDE = 0.012  # of a source's points, in the logarithm of rows: bars would hide each other


def draw_curves(
    path: Path, table: pd.DataFrame, laws: Mapping[str, PowerLaw], reference: str, confidence: float
) -> None:
    """Draw points with their intervals and the laws as lines, thin beyond the largest size.

    `table` has the columns source, rows, macro_f1, low, high and converged; hollow points have not converged.
    """
    sources = list(dict.fromkeys(table["source"]))
    others = [source for source in sources if source != reference]
    looks = dict(zip(others, islice(cycle((c, d) for d, c in product(DASHES, COLOURS)), len(others)), strict=True))
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.6 + 0.2 * -(-len(sources) // 3)), layout="constrained")
        axes = figure.add_subplot()
        for number, source in enumerate(sources):
            colour, dash = looks.get(source, ("black", "-"))
            of = table[table["source"] == source]
            place = of["rows"] * np.exp(ASIDE * (number - (len(sources) - 1) / 2))
            axes.vlines(place, 100 * of["low"], 100 * of["high"], color=colour, linewidth=1.2, alpha=0.7)
            law = laws.get(source)
            is_drawn = law is not None and not law.p < MISFIT
            if not is_drawn:
                axes.plot(place, 100 * of["macro_f1"], dash, color=colour, linewidth=1)
            young = of["converged"].eq(False)
            axes.plot(place[~young], 100 * of["macro_f1"][~young], "o", color=colour, markersize=6)
            axes.plot(
                place[young], 100 * of["macro_f1"][young], "o", color=colour, markersize=6, markerfacecolor="white"
            )
            if is_drawn and law is not None:
                for start, end, width in (
                    (of["rows"].min(), law.largest, 2.0),
                    (law.largest, BEYOND * law.largest, 0.8),
                ):
                    rows = np.geomspace(start, end, 100)
                    axes.plot(rows, 100 * law.at(rows), dash, color=colour, linewidth=width)
            axes.plot([], [], f"o{dash}", color=colour, label=cut(source, LETTERS))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(_ticks(sorted(set(table["rows"])))))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda rows, _: f"{rows:,.0f}"))
        hollow = "; hollow: not trained enough" if table["converged"].eq(False).any() else ""
        lines = "; lines: power laws, thin where no students are" if laws else ""
        axes.set_xlabel(f"labelled train rows{lines}{hollow}")
        axes.set_ylabel(f"macro-F1 on test (x100), {100 * confidence:.4g} % interval")
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        save(figure, path)


def _ticks(rows: list[int]) -> list[int]:
    """Sizes that are far enough apart to be written below the axis, from the largest down."""
    kept: list[int] = []
    for size in reversed(rows):
        if not kept or size < 0.85 * kept[-1]:
            kept.append(size)
    return kept
