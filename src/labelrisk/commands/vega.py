"""`labelrisk vega`: lets `dvc plots show` write a page that needs no network and no other file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

HELP = "let `dvc plots show` write a page that needs no network and no other file"
EXAMPLE = "labelrisk vega"


def arguments(parser: ArgumentParser) -> None:
    """Where to write."""
    from labelrisk.commands._options import local

    parser.add_argument(
        "--out", type=Path, default=local("page.html"), help="where the page with the script inside is written"
    )


def run(params: Path, out: Path) -> None:
    """Write the template of the page with the script of the pictures inside, and tell this clone's DVC of it."""
    from labelrisk.commands._options import repository
    from labelrisk.errors import LabelRiskError

    dvc = repository() / ".dvc"
    if not dvc.is_dir():
        raise LabelRiskError("no folder .dvc here or above: run `labelrisk init` first, or go to where it was run")
    write_page(dvc, out)


def write_page(dvc: Path, out: Path) -> None:
    """Write the page's template at `out`, and let .dvc/config.local name it.

    The script is 900 kB, so that neither lies in git: .dvc/config names the committed template, which says what to do.
    """
    import os

    from dvc.config import Config  # type: ignore[import-untyped]

    from labelrisk.charts.plots_page import page_with_script
    from labelrisk.files import named_file, written_aside

    template = named_file(dvc / "plots" / "page.html", "take it from git, or from another study")
    page = page_with_script(template.read_text(encoding="utf-8"))
    with written_aside(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    with Config(str(dvc.absolute()), validate=False).edit("local") as config:
        config.setdefault("plots", {})["html_template"] = os.path.relpath(out.absolute(), dvc.absolute())
