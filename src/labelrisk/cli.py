"""The command line: one command per stage, plus what a person asks for.  Heavy imports wait for their command."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from labelrisk.errors import LabelRiskError

PARAMS = Path("params.yaml")
STAGES = {  # stage -> its arguments; paths stand in dvc.yaml
    "prepare": (("out", Path), ("metrics", Path)),
    "annotate": (("annotator", str), ("prepared", Path), ("cache", Path), ("out", Path)),
    "filter": (("source", str), ("prepared", Path), ("labels", Path), ("out", Path)),
    "train": (
        *(("source", str), ("seed", int), ("training", Path), ("test", Path), ("labels", Path)),
        *(("model", Path), ("predictions", Path), ("logs", Path)),
    ),
    "evaluate": tuple(
        (name, Path)
        for name in ("prepared", "labels", "training", "predictions", "logs", "models", "runs", "metrics", "plots")
    ),
    "ensemble": tuple((name, Path) for name in ("runs", "prepared", "metrics", "plots", "predictions")),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it did its work, 1 with one sentence when it could not, 130 when interrupted."""
    arguments = vars(_parser().parse_args(argv))
    command = arguments.pop("command")
    try:
        if command in STAGES:
            from labelrisk import settings

            stage = importlib.import_module(f"labelrisk.stages.{command}")
            stage.run(settings.load(PARAMS), **arguments)
        else:
            commands = importlib.import_module("labelrisk.commands")
            getattr(commands, command)(PARAMS, **arguments)
    except LabelRiskError as error:
        print(f"labelrisk {command}: {error}", file=sys.stderr)
        return 1
    except FileNotFoundError as error:  # of what an earlier stage writes; files that users name are checked at the door
        missing = error.filename or error
        print(f"labelrisk {command}: {missing} is not there; run `dvc repro`, which makes it", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nlabelrisk {command}: interrupted; what was done is kept, run again to go on", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labelrisk", description="What you risk when you train a text classifier on LLM labels instead of gold."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, arguments in STAGES.items():
        stage = commands.add_parser(name, help=f"the stage {name} of dvc.yaml")
        for argument, kind in arguments:
            stage.add_argument(f"--{argument}", type=kind, required=True)
    commands.add_parser("check", help="check params.yaml and the files it names, run nothing")
    commands.add_parser("compare", help="`dvc exp show --csv` on its side (see make compare)")
    vega = commands.add_parser("vega", help="write the script that the page of `dvc plots show` draws with")
    vega.add_argument("--out", type=Path, required=True, help="where the page looks for it: .labelrisk/vega.js")
    table = commands.add_parser("table", help="print the comparison of label sources")
    table.add_argument("--metrics", type=Path, default=Path("metrics"), help="folder of the metrics files")
    table.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    return parser
