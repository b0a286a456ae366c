"""annotate: one annotator's labels for every row, with a status, and probabilities where there are any."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from labelrisk.annotators.answers import Answer
from labelrisk.annotators.ballots import write_ballots
from labelrisk.annotators.imported import imported_answers
from labelrisk.annotators.labels import LabelledRow, LabelsWriter
from labelrisk.annotators.totals import totals
from labelrisk.chat_settings import ChatAnnotator
from labelrisk.codebook import Codebook, read_codebook
from labelrisk.corpora.rows import SPLITS
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_json, write_json, written_aside
from labelrisk.settings import Settings


def run(
    settings: Settings, annotator: str, prepared: Path, cache: Path, out: Path, ballots: Path, metrics: Path
) -> None:
    """Write the labels of one annotator for the rows of all splits, in their order, the same as ballots, and totals."""
    declared = settings.annotators[annotator]
    if isinstance(declared, ChatAnnotator):
        from labelrisk.annotators.chat import ChatLabels
        from labelrisk.annotators.session import chat_labels

        labels = ChatLabels(annotator, declared, codebook_of(settings, annotator, declared), prepared)
        chat_labels(labels, settings.annotate, prepared, cache, out)
    else:
        rows = pd.concat([pd.read_parquet(prepared / f"{split}.parquet").assign(split=split) for split in SPLITS])
        if declared.kind == "gold":
            answers = [Answer("ok", gold) if isinstance(gold, str) else Answer("missing") for gold in rows["gold"]]
        else:
            answers = imported_answers(annotator, declared, read_json(prepared / "labels.json"), rows)
        _write(rows, answers, out)
    write_ballots(out, ballots)
    write_json(totals(out, isinstance(declared, ChatAnnotator)), metrics)


def codebook_of(settings: Settings, name: str, annotator: ChatAnnotator) -> Codebook:
    """The codebook that an annotator reads.

    Raises LabelRiskError when it has other labels than the study's.
    """
    codebook = read_codebook(Path(annotator.reads))
    if codebook.names != read_codebook(Path(settings.codebook)).names:
        raise LabelRiskError(
            f"{annotator.reads}, which annotators.{name} reads, has other labels than {settings.codebook}; "
            "both must name the same labels in the same order"
        )
    return codebook


def _write(rows: pd.DataFrame, answers: Iterable[Answer], out: Path) -> None:
    with written_aside(out) as temporary, LabelsWriter(temporary) as writer:
        for identity, split, answer in zip(rows["id"], rows["split"], answers, strict=True):
            writer.write(LabelledRow(identity, split, answer))
