"""Labels made elsewhere: a column of labels or several columns of votes, joined on the text."""

from __future__ import annotations

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
    """Answers in row order.  A text that the file lacks, or without a label, is `missing`; a wrong one `off_list`.

    rows: column `id`.
    Raises LabelRiskError for a file that can't be read, one that labels a text twice differently, and one that
    knows none of the rows.
    """
    path = Path(annotator.reads)
    columns = ([annotator.label] if annotator.label else []) + list(annotator.votes)
    table = read_table(path, [annotator.text, *columns], f"annotators.{name}.reads")
    answers = pd.DataFrame({column: label_names(table[column]) for column in columns})
    answers.index = pd.Index([content_id(text) if isinstance(text, str) else "" for text in table[annotator.text]])
    distinct = answers[~answers.reset_index().duplicated().to_numpy()]
    if (twice := distinct.index.duplicated() & (distinct.index != "")).any():
        row = int(np.flatnonzero(answers.index == distinct.index[twice][0])[-1]) + 1
        raise LabelRiskError(
            f"{path}, row {row}: the file labels this text twice and differently; keep one of the rows"
        )
    if not rows["id"].isin(distinct.index).any():
        raise LabelRiskError(
            f"{path} has none of the corpus's texts in its column '{annotator.text}'; "
            f"correct annotators.{name}.reads or .text in params.yaml"
        )
    found = distinct[~distinct.index.duplicated()].reindex(rows["id"]).astype(object)
    found = found.where(found.notna(), None)
    read = [
        _answer(
            row[annotator.label] if annotator.label else None,
            [row[column] for column in annotator.votes],
            labels,
            by_votes=annotator.label is None,
        )
        for row in found.to_dict("records")
    ]
    return read


def _answer(label: str | None, votes: Sequence[str | None], labels: Sequence[str], by_votes: bool) -> Answer:
    """One row: the label, or the most frequent vote (the first label of the codebook among equals)."""
    counts = np.array([sum(vote == name for vote in votes) for name in labels], dtype=float)
    given = int(counts.sum())
    if by_votes and given:
        label = labels[int(np.argmax(counts))]
    if label is None:
        off_list = any(vote is not None for vote in votes) and by_votes
        return Answer("off_list" if off_list else "missing")
    if label not in labels:
        return Answer("off_list", reply=label)
    if not given:
        return Answer("ok", label, reply=label)
    smoothed = (counts + 1) / (given + len(labels))  # Laplace: five equal votes are no certainty
    return Answer("ok", label, "votes", tuple(map(float, smoothed)), reply=label)
