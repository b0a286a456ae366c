"""`labelrisk table`: the comparison of label sources, from the metrics files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.errors import LabelRiskError

HELP = "print the comparison of label sources"
EXAMPLE = "labelrisk table --markdown"


def arguments(parser: ArgumentParser) -> None:
    """Where the numbers are, and the form of the table."""
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), help="folder of the metrics files")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")


def run(params: Path, metrics: Path, markdown: bool) -> None:
    """Print the comparison of label sources from the metrics files."""
    from labelrisk.comparison.table import comparison_markdown, comparison_table
    from labelrisk.files import read_json

    try:
        found = [read_json(metrics / f"{name}.json") for name in ("sources", "annotators", "ensembles", "baselines")]
    except FileNotFoundError as error:
        raise LabelRiskError(f"{error.filename} is not there; run `make repro` first") from None
    print(comparison_markdown(*found) if markdown else comparison_table(*found))
    if not markdown:
        pictures = sorted(str(path) for path in Path("plots").glob("*.png"))
        print(f"\nPictures: {' '.join(pictures)}\nMore: dvc plots show, dvc metrics show, make compare")
