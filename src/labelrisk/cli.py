"""The command line: one command per stage, plus what a person asks for.  Heavy imports wait for their command."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labelrisk.errors import LabelRiskError

PARAMS = Path("params.yaml")
STAGES = {  # stage -> its arguments; paths stand in dvc.yaml
    "prepare": (("out", Path), ("metrics", Path)),
    "annotate": (
        *(("annotator", str), ("prepared", Path), ("cache", Path), ("out", Path)),
        *(("ballots", Path), ("metrics", Path)),
    ),
    "merge": (("panel", str), ("ballots", Path), ("prepared", Path), ("out", Path)),
    "filter": (("source", str), ("prepared", Path), ("labels", Path), ("out", Path)),
    "train": (
        *(("source", str), ("seed", int), ("training", Path), ("test", Path), ("labels", Path)),
        *(("model", Path), ("predictions", Path), ("logs", Path)),
    ),
    "evaluate": (
        *((name, Path) for name in ("prepared", "labels", "ballots", "training", "predictions", "logs", "models")),
        *((name, Path) for name in ("runs", "metrics", "plots")),
    ),
    "ensemble": tuple((name, Path) for name in ("runs", "prepared", "metrics", "plots", "predictions")),
}

COMMANDS = dict.fromkeys(("sample", "agreement"), "labelrisk.coders.commands")  # where those are that are elsewhere


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
            commands = importlib.import_module(COMMANDS.get(command, "labelrisk.commands"))
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
    _add_people(commands)
    table = commands.add_parser("table", help="print the comparison of label sources")
    table.add_argument("--metrics", type=Path, default=Path("metrics"), help="folder of the metrics files")
    table.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    return parser


def _add_people(commands: Any) -> None:
    """What draws rows for human coders and reads them back."""
    sample = commands.add_parser("sample", help="draw rows for human coders, with the probability of each")
    sample.add_argument("--rows", type=int, required=True, help="how many")
    sample.add_argument("--out", type=Path, required=True, help="FILE.csv; FILE.label_studio.json and .xml beside it")
    sample.add_argument("--design", choices=("random", "stratified", "uncertainty"), default="random")
    sample.add_argument("--annotator", help="whose labels or entropies the design goes by")
    sample.add_argument("--split", choices=("train", "validation", "test"), default="train")
    sample.add_argument("--seed", type=int, default=0)
    told = "of the rows, for a test of the codebook that its edits have not seen"
    sample.add_argument("--holdout", type=float, default=0.0, metavar="SHARE", help=told)
    told = "earlier samples or coders' files, whose rows are not drawn again"
    sample.add_argument("--exclude", type=Path, nargs="+", default=[], metavar="FILE", help=told)
    told = "show coders the annotator's label, towards which they lean"
    sample.add_argument("--show-labels", action="store_true", help=told)
    agreement = commands.add_parser("agreement", help="compare annotators with human coders")
    told = "coders' CSV files, Label Studio's JSON exports"
    agreement.add_argument("files", type=Path, nargs="+", metavar="FILE", help=told)
    agreement.add_argument("--annotator", action="append", required=True, help="may be given several times")
    told = "0.2 for expert coders, 0.15 skilled, 0.1 crowd"
    agreement.add_argument("--epsilon", type=float, default=0.2, help=told)
    agreement.add_argument("--seed", type=int, default=0, help="of the bootstrap intervals")
    agreement.add_argument("--out", type=Path, help="of the numbers; default: validation/<annotator>.json")
    told = "list rows of the part edit that differ"
    agreement.add_argument("--disagreements", type=Path, metavar="FILE.csv", help=told)
    for command in (sample, agreement):
        command.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="folder of the prepared rows")
        command.add_argument(
            "--labels", type=Path, default=Path("data/labels"), help="folder of the annotators' labels"
        )
