"""`labelrisk names`: the names in params.yaml, which dvc.yaml writes into commands, before a shell sees them; and what
they stand for, as a file for each of many stages.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

HELP = "check the names in params.yaml; dvc.yaml does so before each command"
EXAMPLE = "labelrisk names"
FINDING = "The names in params.yaml may stand in commands and paths.\n"  # whatever they are: no name runs a stage again


def arguments(parser: ArgumentParser) -> None:
    """Where to note that they are good."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="a file that is there when all names are good")
    parser.add_argument("--declared", type=Path, metavar="FOLDER", help="what sources and students are declared to be")


def run(params: Path, out: Path | None, declared: Path | None) -> None:
    """Check the names of annotators, panels, sources, seeds and baselines, and note in a file that they are good.

    declared: a folder with what params.yaml says of each source, and of all students (settings/declared.py).
    """
    from labelrisk.files import written_aside
    from labelrisk.settings.declared import declared_files, read_params
    from labelrisk.settings.names import check_names

    check_names(params)
    if out is not None:
        with written_aside(out) as temporary:
            temporary.write_text(FINDING, encoding="utf-8")
    if declared is not None:
        with written_aside(declared) as folder:
            for name, text in declared_files(read_params(params)).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8", newline="")
