"""What a person asks for besides the stages."""

from __future__ import annotations

import sys
from pathlib import Path

from labelrisk.codebook import read_codebook
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_json, written_aside
from labelrisk.settings import load


def check(params: Path) -> None:
    """Check params.yaml, the codebook, and the files that annotators read; run nothing."""
    settings = load(params)
    read_codebook(Path(settings.codebook))
    named = {"corpus.path": settings.corpus.path}
    named |= {f"annotators.{name}.reads": annotator.reads for name, annotator in settings.annotators.items()}
    for key, path in named.items():
        if Path(path).parts[:1] in (("data",), ("models",)):
            raise LabelRiskError(
                f"{params}: {key} names {path}, but {path.split('/')[0]}/ holds outputs; move the file"
            )
    if not Path(settings.corpus.path).exists():
        raise LabelRiskError(f"{params}: corpus.path names {settings.corpus.path}, which is not there; correct it")
    for name, annotator in settings.annotators.items():
        if not Path(annotator.reads).is_file():
            raise LabelRiskError(
                f"{params}: annotators.{name}.reads names {annotator.reads}, which is not there; correct it"
            )


def table(params: Path, metrics: Path, markdown: bool) -> None:
    """Print the comparison of label sources from the metrics files."""
    from labelrisk.comparison.table import comparison_markdown, comparison_table

    try:
        found = [read_json(metrics / f"{name}.json") for name in ("sources", "annotators", "ensembles")]
    except FileNotFoundError as error:
        raise LabelRiskError(f"{error.filename} is not there; run `make repro` first") from None
    print(comparison_markdown(*found) if markdown else comparison_table(*found))
    if not markdown:
        pictures = sorted(str(path) for path in Path("plots").glob("*.png"))
        print(f"\nPictures: {' '.join(pictures)}\nMore: dvc plots show, dvc metrics show, make compare")


def compare(params: Path) -> None:
    """Turn the CSV of `dvc exp show` (standard input) on its side: a row per value, a column per experiment."""
    import pandas as pd

    shown = pd.read_csv(sys.stdin, dtype=str)
    names = shown["Experiment"].fillna(shown["rev"])
    values = shown.drop(columns=["Experiment", "rev", "typ", "Created", "parent"], errors="ignore")
    values.index = pd.Index(names, name=None)
    with pd.option_context("display.max_colwidth", 24):
        print(values.T.fillna("-").to_string())


def vega(params: Path, out: Path) -> None:
    """Write Vega-Embed from its package, so that the page of `dvc plots show` needs no network."""
    import vl_convert

    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    with written_aside(out) as temporary:
        temporary.write_text(f"(function () {{{script}}})();\n", encoding="utf-8")
