"""`labelrisk table`: the comparison of label sources, from the metrics files."""

from __future__ import annotations

import math
import textwrap
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from labelrisk.commands._files import of_this_version
from labelrisk.commands._options import add_durations
from labelrisk.errors import LabelRiskError

HELP = "print the comparison of label sources"
EXAMPLE = "labelrisk table --markdown"
METRICS = Path("metrics")  # where dvc.yaml lets stages write them
PLOTS = Path("plots")


def arguments(parser: ArgumentParser) -> None:
    """Where the numbers are, and the form of the table."""
    parser.add_argument("--metrics", type=Path, default=METRICS, help="folder of the metrics files")
    parser.add_argument("--plots", type=Path, default=PLOTS, help="folder of the tables of slices and pictures")
    add_durations(parser)
    parser.add_argument("--by", metavar="COLUMN", help="by slice: a column that corpus.slices names")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")


def run(params: Path, metrics: Path, plots: Path, durations: Path, by: str | None, markdown: bool) -> None:
    """Print the comparison of label sources from the metrics files, and how long the next step takes here; or what the
    slices by one column say.
    """
    from labelrisk.commands._out_of_date import out_of_date
    from labelrisk.comparison.slices_table import read_slices, slices_markdown, slices_text
    from labelrisk.comparison.table import comparison_markdown, comparison_table
    from labelrisk.files import read_json
    from labelrisk.text_tables import markdown_of

    names = ("verdict", "sources", "annotators", "ensembles", "baselines")
    try:
        found = {name: read_json(metrics / f"{name}.json") for name in names}
        slices = "" if by is None else (plots / "slices.csv").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LabelRiskError(f"{error.filename} is not there; run `labelrisk repro` first") from None
    files = f"{metrics}/*.json" if by is None else str(plots / "slices.csv")
    with of_this_version(files, "run `labelrisk repro`, which writes them anew"):
        if by is None:
            text = comparison_markdown(found) if markdown else comparison_table(found)
        else:
            lay_out = slices_markdown if markdown else slices_text
            text = lay_out(read_slices(slices), by, found["verdict"])
    if (stale := out_of_date(params).sentence()) and metrics == METRICS:
        print(f"**{markdown_of(stale)}**\n" if markdown else textwrap.fill(stale, 80, break_long_words=False) + "\n")
    print(text)
    if not markdown and by is None:
        if minutes := _minutes(found["verdict"]["next_step"], params, durations):
            print(f"\nThe next step takes about {minutes:,} minutes here.")
        pictures = sorted(str(path) for path in plots.glob("*.png"))
        print("\n" + textwrap.fill(f"Pictures: {' '.join(pictures)}", 80, break_long_words=False))
        print("More: labelrisk why, dvc plots show, dvc metrics show, labelrisk compare")


def _minutes(step: dict[str, Any] | None, params: Path, durations: Path) -> int | None:
    """How long a step trains on this machine, at the speed of the latest students; None where that is not known."""
    from labelrisk.params import load
    from labelrisk.students.durations import seconds_per_step
    from labelrisk.students.wanted import at_once

    seconds = seconds_per_step(durations)
    if step is None or "training_steps" not in step or seconds is None:
        return None
    settings = load(params)
    return math.ceil(int(step["training_steps"]) * seconds / at_once(settings.train, settings.engine) / 60)
