"""The picture of rows that flip: the share that does by bin of each covariate, a line for each source."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.style import COLOURS, DASHES, STYLE, WIDTH, save
from labelrisk.text_tables import cut

COLUMNS, MOST = 3, 9  # panels beside each other, and of all
LETTERS = 36
BANDS = 3  # of more sources the reference alone has a band: they would hide each other
TITLES = {
    "annotator_entropy": "entropy of {}, nats",
    "annotator_wrong": "label of {}",
    "words": "words of the text",
    "distance": "1 - cosine to nearest train rows",
    "vote_wrong": "vote of the seeds",
}
EVENTS = ("annotator_wrong", "vote_wrong")


def draw_flips(path: Path, bins: pd.DataFrame, reference: str, confidence: float) -> None:
    """Draw a panel for each covariate; the reference is black.

    bins: covariate, annotator, source, bin, mean, flipped, low, high.
    """
    sources = list(dict.fromkeys(bins["source"]))
    looks = {reference: ("black", "-")} | {
        name: (COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)])
        for place, name in enumerate(name for name in sources if name != reference)
    }
    banded = {reference} if len(sources) > BANDS else set(sources)
    top = max(bins["flipped"].max(), bins.loc[bins["source"].isin(banded), "high"].max())
    panels = list(bins.groupby(["covariate", "annotator"], sort=False, dropna=False))
    shown = panels[:MOST]
    rows = -(-len(shown) // COLUMNS)
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.7 * rows + 0.35 * -(-len(sources) // 4)), layout="constrained")
        drawn = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).ravel()
        for axes, ((covariate, annotator), of) in zip(drawn, shown, strict=False):
            _draw_panel(axes, of, looks, banded, str(covariate) in EVENTS)
            axes.set_ylim(0, 105 * top)
            axes.set_xlabel(cut(TITLES[str(covariate)].format(annotator), LETTERS))
        for axes in drawn[len(shown) :]:
            axes.set_visible(False)
        lines = {label: line for axes in drawn for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(
            lines.values(), [cut(name, LETTERS) for name in lines], loc="outside upper center", ncols=4, frameon=False
        )
        figure.supylabel(f"rows on which seeds disagree (%), {100 * confidence:.4g} % interval", fontsize=9)
        save(figure, path)


def _draw_panel(
    axes: Axes, bins: pd.DataFrame, looks: dict[str, tuple[str, str]], banded: set[str], is_event: bool
) -> None:
    for name, of in bins.groupby("source", sort=False):
        colour, dash = looks[str(name)]
        shares = 100 * of[["flipped", "low", "high"]]
        axes.plot(
            of["mean"], shares["flipped"], dash, color=colour, marker="o", markersize=3, linewidth=1.2, label=name
        )
        if name in banded:
            axes.fill_between(of["mean"], shares["low"], shares["high"], color=colour, alpha=0.15, linewidth=0)
    if is_event:
        axes.set_xticks([0, 1], ["right", "wrong"])
        axes.set_xlim(-0.3, 1.3)
    axes.grid(color="#e5e5e5")
    axes.set_axisbelow(True)
