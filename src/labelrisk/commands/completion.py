"""`labelrisk completion`: a script by which a shell completes commands, options, files, and names of params.yaml."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

HELP = "print a script by which your shell completes labelrisk's words"
EXAMPLE = "labelrisk completion bash"
SHELLS = ("bash", "zsh", "fish", "tcsh")
NAMES = {  # options whose values are names in params.yaml, and the sections that declare these
    "annotator": ("annotators", "panels", "second_opinions"),
    "panel": ("panels",),
    "opinion": ("second_opinions",),
    "source": ("sources", "second_opinions"),
}
# what stands two spaces in below `sections:`, of the params.yaml in the current folder: no Python at the TAB key
AWK = (
    r"""awk -v sections="$1" 'BEGIN { split(sections, wanted, ","); for (one in wanted) named[wanted[one] ":"] }"""
    r""" /^[^ #]/ { inside = ($1 in named) } inside && /^  [a-z0-9_]+:/ { sub(/:.*/, ""); gsub(/ /, ""); print }'"""
    " params.yaml 2>/dev/null"
)


def arguments(parser: ArgumentParser) -> None:
    """Which shell."""
    text = 'whose script is printed; a line for ~/.bashrc: eval "$(labelrisk completion bash)"'
    parser.add_argument("shell", choices=SHELLS, help=text)


def run(params: Path, shell: str) -> None:
    """Print the script; the names are read from params.yaml in the current folder at the time of completing.

    shtab makes it: a script of the shell's own words, so that nothing of labelrisk starts when one completes.
    """
    import shtab

    from labelrisk.commands._parsers import parser_of

    parser = parser_of(None)
    for inner in _with_inner(parser):
        for action in inner._actions:
            if action.dest in NAMES and action.option_strings:
                function = f"_labelrisk_names_{action.dest}"
                action.complete = {"bash": function, "zsh": function, "fish": f"({function})"}  # type: ignore[attr-defined]
            elif action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    before = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    print(shtab.complete(parser, shell, preamble=before[shell]() if shell in before else ""))


def _with_inner(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """A parser and those of its words, of all depths."""
    yield parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for inner in action.choices.values():
                yield from _with_inner(inner)


def _bash() -> str:
    functions = [f"_labelrisk_names() {{\n  {AWK}\n}}"]
    for option, sections in NAMES.items():
        listed = f'compgen -W "$(_labelrisk_names {",".join(sections)})" -- "$1"'
        functions.append(f"_labelrisk_names_{option}() {{\n  {listed}\n}}")
    return "\n".join(functions)


def _zsh() -> str:
    functions = [f"_labelrisk_names() {{\n  {AWK}\n}}"]
    for option, sections in NAMES.items():
        listed = f'compadd -- ${{(f)"$(_labelrisk_names {",".join(sections)})"}}'
        functions.append(f"_labelrisk_names_{option}() {{\n  {listed}\n}}")
    return "\n".join(functions)


def _fish() -> str:
    functions = [f"function _labelrisk_names\n  {AWK.replace('$1', '$argv[1]', 1)}\nend"]
    for option, sections in NAMES.items():
        functions.append(f"function _labelrisk_names_{option}\n  _labelrisk_names {','.join(sections)}\nend")
    return "\n".join(functions)
