"""`labelrisk code`: for each stage a file that says what code it runs, so that DVC runs it again when that changes."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

HELP = "note for each stage what code it runs; dvc.yaml does so before all stages"
EXAMPLE = "labelrisk code --out data/code"


def arguments(parser: ArgumentParser) -> None:
    """Where to note it."""
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder with a file for each stage")


def run(params: Path, out: Path) -> None:
    """Write for each stage the modules that it runs with their hashes, in a file of its name."""
    from labelrisk.commands._stage_code import digests
    from labelrisk.files import written_aside

    with written_aside(out) as temporary:
        temporary.mkdir()
        for stage, lines in digests().items():
            (temporary / stage).write_text(lines, encoding="utf-8", newline="")
