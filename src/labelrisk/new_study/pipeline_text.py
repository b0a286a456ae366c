"""dvc.yaml of a new study: the template's, with the few places replaced that differ from folder to folder."""

from __future__ import annotations

from labelrisk.errors import LabelRiskError

RUN, LOCAL, CODE = (
    "- run: PYTHONPATH=src python -m labelrisk\n",
    "- local: .labelrisk ",
    "deps:\n      - src/labelrisk\n",
)
VERSION = "labelrisk.version"  # a file in the study's folder that names the version whose code made the outputs
FROM_SOURCES = "Each stage runs from the sources here, so that `dvc exp run --temp` and the queue run their own copy."
FROM_PACKAGE = f"Each stage runs from the installed labelrisk, whose version stands in {VERSION}."


def pipeline_text(template: str, local: str, sources: str | None) -> str:
    """The template's text for a folder elsewhere.

    local: the folder of the call cache, and sources: the project's src, as paths from there; sources None: labelrisk
    is installed.  The code that stages run is known by the version that the file VERSION names.
    Raises LabelRiskError where the template no longer has one of the places.
    """
    run = "python -m labelrisk" if sources is None else f"PYTHONPATH={sources} python -m labelrisk"
    text = template if sources else template.replace(FROM_SOURCES, FROM_PACKAGE)
    for old, new in (
        (RUN, f"- run: {run}\n"),
        (LOCAL, f"- local: {local} "),
        (CODE, f"deps:\n      - {VERSION}\n"),
    ):
        if text.count(old) != 1:
            place = " ".join(old.split())
            raise LabelRiskError(
                f"the project's dvc.yaml, which new studies are made of, has '{place}' {text.count(old)} times instead "
                "of once; restore that line, or take dvc.yaml from git"
            )
        text = text.replace(old, new)
    return text
