"""The command line: the stages in stages/ and the commands in commands/, found by their files."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_type_hints

from labelrisk import commands, stages
from labelrisk.commands import Command
from labelrisk.errors import LabelRiskError

PARAMS = Path("params.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a stage or a command; 0 when it did its work, 1 with one sentence when it could not, 130 when interrupted."""
    words = sys.argv[1:] if argv is None else list(argv)
    command = " ".join(words[:1])
    try:
        options = vars(_parser(command).parse_args(words))
        run: Callable[..., None] = options.pop("run")
        run(PARAMS, **options)
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


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser of all words; only the stage that `command` names is imported, the others are slow to."""
    parser = argparse.ArgumentParser(
        prog="labelrisk", description="What you risk when you train a text classifier on LLM labels instead of gold."
    )
    words = parser.add_subparsers(required=True, metavar="command")
    for name, _ in _files(stages):
        stage = words.add_parser(name, help=f"the stage {name} of dvc.yaml")
        if name == command:
            _add_stage(stage, importlib.import_module(f"{stages.__name__}.{name}").run)
    _add_commands(words, commands)
    return parser


def _files(folder: ModuleType) -> list[tuple[str, bool]]:
    """The names of the files and subfolders in a package, by the alphabet, and whether each is a subfolder."""
    found = [(file.name, file.ispkg) for file in pkgutil.iter_modules(folder.__path__)]
    return [(name, is_folder) for name, is_folder in found if not name.startswith("_")]


def _add_stage(parser: argparse.ArgumentParser, run: Callable[..., None]) -> None:
    """An option for each parameter of a stage but the settings: paths, names and the seed, which stand in dvc.yaml."""
    for option, kind in get_type_hints(run).items():
        if option not in ("settings", "return"):
            parser.add_argument(f"--{option}", type=kind, required=True)
    parser.set_defaults(run=partial(_run_stage, run))


def _run_stage(run: Callable[..., None], params: Path, /, **options: Any) -> None:
    from labelrisk.params import load

    run(load(params), **options)


def _add_commands(words: Any, folder: ModuleType) -> None:
    """A word for each file of a folder of commands; a subfolder is a group of words."""
    for name, is_folder in _files(folder):
        module = importlib.import_module(f"{folder.__name__}.{name}")
        if is_folder:
            group = words.add_parser(name, help=module.HELP)
            _add_commands(group.add_subparsers(required=True, metavar="action"), module)
            continue
        command = cast(Command, module)
        parser = words.add_parser(
            getattr(module, "NAME", name),
            help=command.HELP,
            epilog="example:\n" + textwrap.indent(command.EXAMPLE, "  "),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(parser)
        parser.set_defaults(run=command.run)
