"""`labelrisk check`: params.yaml, the codebook, and the files that params.yaml names."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.errors import LabelRiskError

HELP = "check params.yaml and the files it names, run nothing"
EXAMPLE = "labelrisk check"


def arguments(parser: ArgumentParser) -> None:
    """It has no options."""


def run(params: Path) -> None:
    """Check params.yaml, the codebook, and the files that annotators read; run nothing."""
    from labelrisk.codebook import read_codebook
    from labelrisk.params import load

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
