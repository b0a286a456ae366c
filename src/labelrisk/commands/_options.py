"""Options that several commands have."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

LOCAL = re.compile(r"^  - local: (\S+)", re.MULTILINE)  # among the vars of dvc.yaml


def add_seed(parser: ArgumentParser, text: str | None = None) -> None:
    """--seed: of what is drawn."""
    parser.add_argument("--seed", type=seed, default=0, help=text)


def seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ArgumentTypeError(f"'{text}' is no whole number from 0 on below 2^63")
    return number


def add_prepared(parser: ArgumentParser) -> None:
    """--prepared: where the stage prepare writes."""
    parser.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="folder of the prepared rows")


def add_labels(parser: ArgumentParser) -> None:
    """--labels: where the stages annotate and merge write."""
    parser.add_argument("--labels", type=Path, default=Path("data/labels"), help="folder of the annotators' labels")


def add_vectors(parser: ArgumentParser) -> None:
    """--vectors: where the stage embed writes."""
    parser.add_argument("--vectors", type=Path, default=Path("data/vectors"), help="folder of the sentence vectors")


def add_cache(parser: ArgumentParser) -> None:
    """--cache: where answers are stored."""
    parser.add_argument("--cache", type=Path, default=local("calls.sqlite"), help="file of the call cache")


def add_durations(parser: ArgumentParser) -> None:
    """--durations: how long students took here."""
    default = local("durations.jsonl")
    parser.add_argument("--durations", type=Path, default=default, help="file of how long students took here")


def add_whose_answers(parser: ArgumentParser) -> None:
    """--annotator and --model: the answers that are meant."""
    parser.add_argument("--annotator", metavar="NAME", help="only those that this annotator asked for")
    parser.add_argument("--model", metavar="NAME", help="only those of this model")


def repository() -> Path:
    """The folder that holds .dvc, from here; this one where there is none above."""
    here = Path.cwd()
    above = [Path("/".join([".."] * up)) for up in range(len(here.parts))]
    return next((folder for folder in above if os.path.isdir(folder / ".dvc")), Path())  # noqa: PTH112 (False where none may look)


def local(name: str) -> Path:
    """A file in the folder that studies of a repository share, as dvc.yaml names it; without one that beside .dvc."""
    try:
        found = LOCAL.search(Path("dvc.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return (Path(found[1]) if found else repository() / ".labelrisk") / name
