"""Labels made elsewhere: a column of labels or several columns of votes, joined on the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.annotators.answers import Answer
from labelrisk.corpora.rows import content_id
from labelrisk.corpora.tables import label_names, read_table
from labelrisk.errors import LabelRiskError
from labelrisk.settings import ImportAnnotator


def imported_answers(name: str, annotator: ImportAnnotator, labels: Sequence[str], rows: pd.DataFrame) -> list[Answer]:
    """Answers in row order.  A text that the file lacks, or has without a label, is `missing`; a label outside the
    codebook is `off_list`; a text with two labels is `contradictory`.  Votes on a text that stands twice are pooled.

    rows: column `id`.
    Raises LabelRiskError for a file that can't be read, and one that knows none of the rows.
    """
    path = Path(annotator.reads)
    columns = [annotator.label] if annotator.label else list(annotator.votes)
    table = read_table(path, [annotator.text, *columns, *annotator.votes], f"annotators.{name}.reads")
    said: dict[str, list[str]] = defaultdict(list)
    voted: dict[str, list[str]] = defaultdict(list)
    ids = [content_id(text) if isinstance(text, str) else "" for text in table[annotator.text]]
    for known, columns_of in ((said, columns), (voted, list(annotator.votes))):
        for column in columns_of:
            for row, label in zip(ids, label_names(table[column]), strict=True):
                known[row] += [label] if label is not None else []
    if not rows["id"].isin(ids).any():
        raise LabelRiskError(
            f"{path} has none of the corpus's texts in its column '{annotator.text}'; "
            f"correct annotators.{name}.reads or .text in params.yaml"
        )
    by_label = annotator.label is not None
    return [_answer(said[row], voted[row], labels, by_label) for row in rows["id"]]


def _answer(said: Sequence[str], votes: Sequence[str], labels: Sequence[str], by_label: bool) -> Answer:
    """One row: its label, or the most frequent vote (the first label of the codebook among equals)."""
    counts = np.array([votes.count(name) for name in labels], dtype=float)
    if not said:
        return Answer("missing")
    if by_label and len(set(said)) > 1:
        return Answer("contradictory", reply=" / ".join(dict.fromkeys(said)))
    label = said[0] if by_label or not counts.any() else labels[int(np.argmax(counts))]
    if label not in labels:
        return Answer("off_list", reply=label)
    if not counts.any():
        return Answer("ok", label, reply=label)
    smoothed = (counts + 1) / (counts.sum() + len(labels))  # Laplace: five equal votes are no certainty
    return Answer("ok", label, "votes", tuple(map(float, smoothed)), reply=label)
