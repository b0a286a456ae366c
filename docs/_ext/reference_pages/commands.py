"""The commands, from their parsers: what each does, its options, and an example."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path

from labelrisk import stages
from labelrisk.commands._parsers import files, parser_of
from reference_pages.markdown import code, escaped, table


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command and stage, by its words."""
    return dict(_leaves(parser_of(None), ()))


def _leaves(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for group in groups:
        for word, inner in group.choices.items():
            yield from _leaves(inner, (*words, word))
    if not groups:
        yield " ".join(words), parser


def commands_page() -> str:
    """All commands but the stages, in the order of the alphabet."""
    named = {name for name, _ in files(stages)}
    parts = [
        "# Commands\n",
        "Written from the parsers of the command line; `labelrisk COMMAND --help` prints the same. A command ends with",
        "0 when it did its work, with 1 and one sentence when it could not, with 2 for words that it does not know,",
        "with 130 or 143 when it was asked to end. `labelrisk completion bash` prints a script for your shell.\n",
    ]
    for words, parser in sorted(commands().items()):
        if words in named:
            continue
        parts += [
            f"## `labelrisk {words}`\n",
            f"{sentence(parser.description or '')}\n",
            f"```text\n{_usage(parser)}\n```\n",
            _options(parser),
            f"```text\n{inspect.cleandoc((parser.epilog or '').removeprefix('example:'))}\n```\n",
        ]
    return "\n".join(parts)


def _usage(parser: argparse.ArgumentParser) -> str:
    """The same whatever the width of the terminal is in which the site is built."""
    formatter = parser.formatter_class(prog=parser.prog, width=80)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    return formatter.format_help().strip()


def sentence(text: str) -> str:
    """A help text as a sentence of Markdown."""
    text = escaped(text)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _options(parser: argparse.ArgumentParser) -> str:
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
        choices = " ".join(code(str(choice)) for choice in action.choices or ())
        meaning = escaped((action.help or "") % {"default": action.default} if action.help else "")
        default = _default(action)
        rows.append((code(name + value), "; ".join(filter(None, (meaning, choices))), default))
    return table(("option", "meaning", "default"), rows) if rows else ""


def _default(action: argparse.Action) -> str:
    if action.required:
        return "required" if action.option_strings else ""
    value = action.default
    if value is None or value is False or value == [] or value is argparse.SUPPRESS:
        return ""
    if isinstance(value, Path) and ".labelrisk" in value.parts:  # found upwards from where one stands
        value = Path(*value.parts[value.parts.index(".labelrisk") :])
    return code(str(value))
