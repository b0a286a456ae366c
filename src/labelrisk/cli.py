"""The command line: one command per stage, plus what a person asks for.  Heavy imports wait for their command."""

from __future__ import annotations

import argparse
import importlib
import os
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

CACHE = Path(".labelrisk/calls.sqlite")
COMMANDS = {  # where those are that are elsewhere
    **dict.fromkeys(("sample", "agreement"), "labelrisk.coders.commands"),
    "cache": "labelrisk.cache.housekeeping",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it did its work, 1 with one sentence when it could not, 130 when interrupted."""
    arguments = vars(_parser().parse_args(argv))
    command = arguments.pop("command")
    try:
        if command in STAGES:
            from labelrisk.params import load

            stage = importlib.import_module(f"labelrisk.stages.{command}")
            stage.run(load(PARAMS), **arguments)
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
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    plan = commands.add_parser("plan", help="what annotators would send and cost, and one prompt; sends nothing")
    plan.add_argument("--annotator", help="only this one")
    plan.add_argument("--no-prompt", dest="prompt", action="store_false", help="leave the prompt out")
    plan.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="folder of the prepared rows")
    plan.add_argument("--labels", type=Path, default=Path("data/labels"), help="folder of the annotators' labels")
    probe = commands.add_parser("probe", help="what an endpoint serves, one short request each; into params.yaml")
    probe.add_argument("--annotator", required=True)
    for command in (plan, probe):
        command.add_argument("--cache", type=Path, default=CACHE, help="file of the call cache")
    _add_people(commands)
    _add_cache(commands)
    table = commands.add_parser("table", help="print the comparison of label sources")
    table.add_argument("--metrics", type=Path, default=Path("metrics"), help="folder of the metrics files")
    table.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")
    return parser


def _add_cache(commands: Any) -> None:
    """What looks after the call cache."""
    actions = commands.add_parser("cache", help="look into, export, import, verify or prune the call cache")
    actions = actions.add_subparsers(dest="action", required=True, metavar="action")
    show = actions.add_parser("show", help="answers, tokens and cost by annotator and by day, what was spent, by whom")
    show.add_argument("--json", dest="as_json", action="store_true", help="all numbers, as JSON")
    export = actions.add_parser("export", help="write answers as lines of JSON")
    export.add_argument("file", type=Path, metavar="FILE.jsonl.gz")
    export.add_argument("--since", metavar="DATE", help="only those answered on that day (UTC) or later")
    told = "store answers of exports and of other caches; what is there stays"
    imported = actions.add_parser("import", help=told)
    imported.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".jsonl.gz, .jsonl or .sqlite")
    verify = actions.add_parser("verify", help="check every answer; changes nothing")
    prune = actions.add_parser("prune", help="remove the answers for which all rules hold; says which without --yes")
    prune.add_argument("--endpoint", metavar="URL", help="only those of this endpoint, as `cache show` names it")
    prune.add_argument("--before", metavar="DATE", help="only those answered before that day (UTC)")
    prune.add_argument("--yes", action="store_true", help="do it; asking again will cost again")
    for action in (export, prune):
        action.add_argument("--annotator", metavar="NAME", help="only those that this annotator asked for")
        action.add_argument("--model", metavar="NAME", help="only those of this model")
    for action in (show, export, imported, verify, prune):
        action.add_argument("--cache", type=Path, default=CACHE, help="file of the call cache")


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
