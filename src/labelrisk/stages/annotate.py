"""annotate: one annotator's labels for every row, with a status, and probabilities where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.annotators.answers import Answer, entropy
from labelrisk.annotators.calls import CallCache
from labelrisk.annotators.imported import imported_answers
from labelrisk.codebook import read_codebook
from labelrisk.corpora.rows import SPLITS
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_json, written_aside
from labelrisk.settings import Settings


def run(settings: Settings, annotator: str, prepared: Path, cache: Path, out: Path) -> None:
    """Write the labels of one annotator for the rows of all splits, in their order."""
    declared = settings.annotators[annotator]
    labels = read_json(prepared / "labels.json")
    frames = {split: pd.read_parquet(prepared / f"{split}.parquet") for split in SPLITS}
    rows = pd.concat([frame.assign(split=split) for split, frame in frames.items()], ignore_index=True)
    calls: Sequence[str | None] = [None] * len(rows)
    if declared.kind == "gold":
        answers = [Answer("ok", gold) if isinstance(gold, str) else Answer("missing") for gold in rows["gold"]]
    elif declared.kind == "import":
        answers = imported_answers(annotator, declared, labels, rows)
    else:
        from labelrisk.annotators.chat import chat_answers

        codebook = read_codebook(Path(declared.reads))
        if codebook.names != labels:
            raise LabelRiskError(
                f"{declared.reads}, which annotators.{annotator} reads, has other labels than {settings.codebook}; "
                "both must name the same labels in the same order"
            )
        store = CallCache(cache)
        try:
            answers, calls = chat_answers(
                annotator, declared, settings.annotate, codebook, frames["train"], rows, store
            )
        finally:
            store.close()
    with written_aside(out) as temporary:
        pq.write_table(labels_table(rows, answers, calls), temporary)


def labels_table(rows: pd.DataFrame, answers: Sequence[Answer], calls: Sequence[str | None]) -> pa.Table:
    """The labels file: who said what of which row, how sure, and the call that it came from."""
    columns: dict[str, tuple[Sequence[object], pa.DataType]] = {
        "id": (list(rows["id"]), pa.string()),
        "split": (list(rows["split"]), pa.string()),
        "label": ([answer.label for answer in answers], pa.string()),
        "status": ([answer.status for answer in answers], pa.string()),
        "method": ([answer.method for answer in answers], pa.string()),
        "probabilities": ([answer.probabilities for answer in answers], pa.list_(pa.float64())),
        "outside": ([answer.outside for answer in answers], pa.float64()),
        "entropy": ([entropy(answer.probabilities) for answer in answers], pa.float64()),
        "reply": ([answer.reply for answer in answers], pa.string()),
        "call": (list(calls), pa.string()),
    }
    return pa.table({name: pa.array(values, type=kind) for name, (values, kind) in columns.items()})
