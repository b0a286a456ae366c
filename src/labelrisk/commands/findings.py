"""`labelrisk findings`: what a study says about the claims of the two papers, or several studies side by side."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labelrisk.commands._files import of_this_version, read_named_json
from labelrisk.errors import LabelRiskError

HELP = "print which claims of the papers hold here"
OF_STUDY, OF_EXPLANATIONS = Path("metrics/findings.json"), Path("explanations/findings.json")
EXAMPLE = "labelrisk findings\nlabelrisk findings short=a/findings.json long=b/findings.json"


def arguments(parser: ArgumentParser) -> None:
    """Which files, and the form of the table."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="[NAME=]FILE",
        help=f"findings.json of one study or several; NAME: of its column (default: {OF_STUDY}, with the claims that "
        f"{OF_EXPLANATIONS} decides)",
    )
    parser.add_argument("--markdown", action="store_true", help="as Markdown, for a pull request")


def run(params: Path, files: Sequence[str], markdown: bool) -> None:
    """Print the findings of the files; without any, those of this study, with what its explanations decide."""
    from labelrisk.comparison.findings_table import findings_markdown, findings_text

    found = {}
    for word in files:
        name, path = _named(word)
        if name in found:
            raise LabelRiskError(f"two files are called '{name}'; write another name before one: NAME={path}")
        found[name] = _read(path)
    with of_this_version(" or ".join(files) or str(OF_STUDY), "name a findings.json of this version"):
        found = found or {OF_STUDY.stem: _of_this_study()}
        text = findings_markdown(found) if markdown else findings_text(found)
    print(text)


def _read(path: Path) -> dict[str, Any]:
    content = read_named_json(path, "findings.json")
    if not isinstance(content, dict) or not {"recipe", "claims"} <= content.keys():
        raise LabelRiskError(f"{path} holds no findings; name a findings.json")
    return content


def _of_this_study() -> dict[str, Any]:
    """The claims that the study itself decides, and those that explanations decide, which have the last word."""
    content = _read(OF_STUDY)
    if not OF_EXPLANATIONS.exists():
        return content
    claims = dict(content["claims"])
    for annotator, decided in _read(OF_EXPLANATIONS)["claims"].items():
        claims[annotator] = claims.get(annotator, {}) | decided
    return content | {"claims": claims}


def _named(word: str) -> tuple[str, Path]:
    """The column's name and the path: NAME=PATH, or a path, which is called by its stem."""
    name, is_named, path = word.partition("=")
    if is_named and name and not Path(word).exists():
        return name, Path(path)
    return Path(word).stem, Path(word)
