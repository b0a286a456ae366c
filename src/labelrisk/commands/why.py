"""`labelrisk why`: what lies under the verdict, from the folder of explanations."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._files import of_this_version
from labelrisk.errors import LabelRiskError

HELP = "print what lies under the verdict, explanation by explanation"
EXAMPLE = "labelrisk why\nlabelrisk why annotators --markdown"
FOLDER = Path("explanations")  # where dvc.yaml lets the stage explain write them


def arguments(parser: ArgumentParser) -> None:
    """Which explanation, where they are, and the form."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one explanation, with its table and its pictures")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of the explanations")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")


def run(params: Path, name: str | None, folder: Path, markdown: bool) -> None:
    """Print the sentences of all explanations, or all of one."""
    from labelrisk.commands._explanations import explanation_markdown, explanation_text, read_explanations
    from labelrisk.commands._out_of_date import out_of_date
    from labelrisk.errors import nearest, shown
    from labelrisk.text_tables import markdown_of

    if folder.exists() and not folder.is_dir():
        raise LabelRiskError(f"{folder} is no folder; name that of the explanations by --folder")
    if not folder.is_dir():
        raise LabelRiskError(f"{folder} is not there; run `labelrisk repro` first")
    with of_this_version(str(folder), "run `labelrisk repro`, which writes it anew"):
        told = read_explanations(folder)
        if name is not None and name not in told:
            raise LabelRiskError(f"there is no explanation '{shown(name)}'; {nearest(name, told)}")
        lay_out = explanation_markdown if markdown else explanation_text
        texts = [lay_out(one, name is not None) for one in told.values() if name in (None, one.name)]
    if (stale := out_of_date(params).sentence()) and folder == FOLDER:
        print(f"**{markdown_of(stale)}**\n" if markdown else textwrap.fill(stale, 80, break_long_words=False) + "\n")
    print("\n\n".join(texts))
    if name is None and not markdown:
        print("\nMore: labelrisk why NAME")
