"""`labelrisk vega`: the script that draws the page of `dvc plots show` without a network."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

HELP = "write the script that the page of `dvc plots show` draws with"
EXAMPLE = "labelrisk vega --out .labelrisk/vega.js"


def arguments(parser: ArgumentParser) -> None:
    """Where to write."""
    parser.add_argument("--out", type=Path, required=True, help="where the page looks for it: .labelrisk/vega.js")


def run(params: Path, out: Path) -> None:
    """Write Vega-Embed from its package, so that the page of `dvc plots show` needs no network."""
    import vl_convert

    from labelrisk.files import written_aside

    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    with written_aside(out) as temporary:
        temporary.write_text(f"(function () {{{script}}})();\n", encoding="utf-8")
