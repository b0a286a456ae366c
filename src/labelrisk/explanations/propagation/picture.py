"""The picture of repeated errors: what students say on the rows on which their annotator is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import GREY, STYLE, WIDTH, save
from labelrisk.explanations.propagation.followed_errors import Followed
from labelrisk.text_tables import cut

LOWER = 0.24  # of a bar: marks that would hide its number
LETTERS = 34  # of a source's name
PARTS = (("repeated", "#D55E00", "the same wrong label"), ("other", "#E69F00", "another wrong label"),
         ("corrected", "#009E73", "right"))  # fmt: skip
NEVER_SAW = "never saw its labels"


class Bar(NamedTuple):
    """Shares of the rows on which an annotator is wrong; low, high: the interval of `repeated`."""

    name: str
    repeated: float
    low: float
    high: float
    corrected: float
    chance: float

    @property
    def other(self) -> float:
        """The rest: errors of another kind."""
        return max(1 - self.repeated - self.corrected, 0.0)


Bars = Sequence[tuple[str, Sequence[Bar]]]  # by annotator: its title


def bars_of(followed: Sequence[Followed]) -> Bars:
    """By annotator: the sources that are about it, then gold's students."""
    found = []
    for of in followed:
        bars, last = [], None
        for one in of.sources.values():
            repeats = one.repeats
            bars.append(Bar(one.name, *repeats.repeated.own[:3], repeats.corrected.own.estimate, repeats.chance))
            if of.errors.gold is not None:
                gold = (*repeats.repeated.gold[:3], repeats.corrected.gold.estimate, repeats.gold_chance)
                last = Bar(f"{of.errors.gold} ({NEVER_SAW})", *gold)
        title = f"on the {int(of.errors.wrong.sum()):,} test rows on which {of.errors.annotator} is wrong"
        found.append((title, [*bars, *([last] if last else [])]))
    return found


def draw_propagation(path: Path, bars: Bars) -> None:
    """A panel for each annotator, a bar for each source: the same wrong label, another one, right; chance as a mark."""
    heights = [len(of) + 1.2 for _, of in bars]
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.1 + 0.36 * sum(heights)), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(bars), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (title, of) in zip(panels, bars, strict=True):
            _draw_panel(axes, title, of)
        panels[-1].set_xlabel("share of these rows (x100), mean over seeds, with the interval of the same wrong label")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)


def _draw_panel(axes: Axes, title: str, bars: Sequence[Bar]) -> None:
    rows = range(len(bars))
    starts = [0.0] * len(bars)
    for part, colour, words in PARTS:
        shares = [100 * getattr(bar, part) for bar in bars]
        axes.barh(rows, shares, left=starts, height=0.74, color=colour, edgecolor="white", label=words)
        for row, (start, share) in enumerate(zip(starts, shares, strict=True)):
            if share >= 6:
                axes.text(start + share / 2, row - 0.12, f"{share:.0f}", ha="center", va="center", color="white")
        starts = [start + share for start, share in zip(starts, shares, strict=True)]
    below = [row + LOWER for row in rows]
    axes.hlines(below, [100 * bar.low for bar in bars], [100 * bar.high for bar in bars], color="black", linewidth=1)
    axes.plot([100 * bar.chance for bar in bars], below, "D", color="black", markersize=6, markeredgecolor="white",
              linestyle="none", label="the same wrong label by chance", zorder=5)  # fmt: skip
    axes.set_yticks(rows, [cut(bar.name, LETTERS + len(NEVER_SAW) * bar.name.endswith(")")) for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_title(title, loc="left", fontsize="medium", color=GREY)
    axes.tick_params(axis="y", length=0)
