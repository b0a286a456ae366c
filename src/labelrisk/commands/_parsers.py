"""The parser of the command line, made of the files of stages and commands, and nothing slow imported for it."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import pkgutil
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from labelrisk import commands, stages
from labelrisk.commands import Command
from labelrisk.errors import LabelRiskError, nearest, shown

ABOUT = "What you risk when you train a text classifier on LLM labels instead of gold."
WIDTH = 78  # of sentences that argparse leaves as they are
EXAMPLE = "labelrisk check\nlabelrisk repro\nlabelrisk table\nlabelrisk table --help"
KINDS: dict[str, Callable[[str], Any]] = {"Path": Path, "str": str, "int": int}
# options that choose one of several stages, with examples of what they are
NAMED = {"rows": "100", "annotator": "gpt", "panel": "trio", "opinion": "strong", "kind": "words", "source": "gpt"}


@dataclass(frozen=True)
class Stage:
    """What the source of a stage says of it: a sentence, and its options with the words of their types, in order."""

    name: str
    about: str
    options: dict[str, str]

    @property
    def example(self) -> str:
        """How DVC runs this stage alone, with everything that it needs."""
        chosen = "-".join(NAMED[option] for option in self.options if option in NAMED)
        return f"dvc repro {self.name}{'@' if chosen else ''}{chosen}"


def parser_of(command: str | None) -> argparse.ArgumentParser:
    """The parser of all words, with the options of the stage that `command` names; None: with those of all stages."""
    parser = argparse.ArgumentParser(
        prog="labelrisk",
        description=textwrap.fill(ABOUT, WIDTH),
        epilog=_example(EXAMPLE),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(required=True, metavar="command")
    for name, _ in files(stages):
        if command not in (None, name):
            words.add_parser(name, help=f"the stage {name} of dvc.yaml")
            continue
        stage = stage_of(name)
        added = words.add_parser(
            name,
            help=f"the stage {name} of dvc.yaml",
            description=textwrap.fill(f"The stage {name} of dvc.yaml, which holds its options: {stage.about}", WIDTH),
            epilog=_example(stage.example),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for option, kind in stage.options.items():
            added.add_argument(f"--{option}", type=KINDS[kind], required=True)
        added.set_defaults(run=partial(_run_stage, name))
    _add_commands(words, commands)
    return parser


def files(folder: ModuleType) -> list[tuple[str, bool]]:
    """The names of the files and subfolders in a package, by the alphabet, and whether each is a subfolder."""
    found = [(file.name, file.ispkg) for file in pkgutil.iter_modules(folder.__path__)]
    return [(name, is_folder) for name, is_folder in found if not name.startswith("_")]


def stage_of(name: str) -> Stage:
    """Read a stage's source: to import it takes up to a second, and its help should not."""
    found = importlib.util.find_spec(f"{stages.__name__}.{name}")
    assert found is not None
    assert found.origin is not None
    module = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    run = next(part for part in module.body if isinstance(part, ast.FunctionDef) and part.name == "run")
    about = (ast.get_docstring(module) or "").partition("\n\n")[0].removeprefix(f"{name}: ")
    options = {one.arg: ast.unparse(one.annotation) for one in run.args.args if one.annotation is not None}
    options.pop("settings", None)
    return Stage(name, about, options)


def _example(lines: str) -> str:
    return "example:\n" + textwrap.indent(lines, "  ")


def _run_stage(name: str, params: Path, /, **options: Any) -> None:
    from labelrisk.commands._version_file import refuse_other_version
    from labelrisk.params import load

    refuse_other_version()
    settings = load(params)
    declared: dict[str, Collection[str]] = {
        "annotator": settings.annotators,
        "panel": settings.panels,
        "opinion": settings.second_opinions,
        "source": settings.sources,
        "kind": settings.baseline.kinds,
    }
    for option in declared.keys() & options.keys():
        if options[option] not in declared[option]:
            wrong = f"--{option} is '{shown(options[option])}', which {params} does not declare"
            raise LabelRiskError(f"{wrong}; {nearest(options[option], declared[option])}")
    importlib.import_module(f"{stages.__name__}.{name}").run(settings, **options)


def _add_commands(words: Any, folder: ModuleType) -> None:
    """A word for each file of a folder of commands; a subfolder is a group of words."""
    for name, is_folder in files(folder):
        module = importlib.import_module(f"{folder.__name__}.{name}")
        if is_folder:
            group = words.add_parser(name, help=module.HELP, description=module.HELP)
            _add_commands(group.add_subparsers(required=True, metavar="action"), module)
            continue
        command = cast(Command, module)
        parser = words.add_parser(
            getattr(module, "NAME", name),
            help=command.HELP,
            description=textwrap.fill(command.HELP, WIDTH),
            epilog=_example(command.EXAMPLE),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(parser)
        parser.set_defaults(run=command.run)
