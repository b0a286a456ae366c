"""The annotator of kind `import`: labels, votes or class probabilities made elsewhere, joined on the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from labelrisk.annotators.contract import Given, Task, write_answers
from labelrisk.annotators.given_probabilities import distributions_in, refuse_other_labels
from labelrisk.annotators.import_files import ImportFile, people, read_import_files, seconds
from labelrisk.annotators.without_labels import refuse_without_labels
from labelrisk.corpora.tables import label_names
from labelrisk.errors import LabelRiskError
from labelrisk.labels.answer import Answer
from labelrisk.labels.merging import Codes, Distributions, merged_answers, votes_of
from labelrisk.settings.merge import Merge
from labelrisk.settings.section import Section
from labelrisk.statistics.class_codes import codes_of


class ImportAnnotator(Section):
    """Labels made elsewhere, read from a file or a folder of files, and joined on the text, or on the ids of a sheet
    that `labelrisk sample` wrote.
    """

    kind: Literal["import"]  # labels made elsewhere
    reads: str  # a file, or a folder of files, that holds them
    text: str = "text"  # the column on which labels are joined
    label: str | None = None  # the column of the labels, where there are no votes
    votes: tuple[str, ...] = ()  # columns, one per coder
    merge: Merge = "majority"  # how votes become one label
    probabilities: dict[str, str] = {}  # label -> column
    coder: str | None = None  # the column that says who gave the label
    answered_at: str | None = None  # the column that says when, as in ISO 8601
    people: bool = False  # whether these are human labels, which are counted as such

    @model_validator(mode="after")
    def _has_labels(self) -> ImportAnnotator:
        if self.label is None and not self.votes and not self.probabilities:
            raise ValueError("needs 'label' (a column), 'votes' (a list of columns) or 'probabilities' (label: column)")
        if self.votes and self.probabilities:
            raise ValueError("'votes' and 'probabilities' can't be combined")
        return self

    def gives_probabilities(self, classes: int) -> bool:
        """Those of its votes, or given ones; a single label has none."""
        return bool(self.votes or self.probabilities)

    def write_labels(self, task: Task, out: Path) -> None:
        """Write the labels file (see Labeller)."""
        rows, labels = task.prepared.rows(["id"]), task.prepared.classes
        given = imported(task.name, self, labels, rows)
        if task.asked is None:
            refuse_without_labels([one.answer for one in given], self.reads, f"annotators.{task.name}", labels)
        write_answers(task, given, out)


def imported_answers(name: str, annotator: ImportAnnotator, labels: Sequence[str], rows: pd.DataFrame) -> list[Answer]:
    """The answers of `imported`, without who gave them."""
    return [given.answer for given in imported(name, annotator, labels, rows)]


def imported(name: str, annotator: ImportAnnotator, labels: Sequence[str], rows: pd.DataFrame) -> list[Given]:
    """Answers in row order, with who gave them and when.  A text that the file lacks, or has without a label, is
    `missing`; a label outside the codebook is `off_list`; a text with two labels, or two distributions, is
    `contradictory`.  Votes on a text that stands twice are pooled, and those on texts outside the corpus count for
    nothing.

    The label is that of the column `label` where one is named, else the one with the most votes or the highest
    probability; of equals the first of the codebook.
    rows: column `id`.
    Raises LabelRiskError for a file that can't be read, one that knows none of the rows, and probabilities that
    are none.
    """
    path, key = Path(annotator.reads), f"annotators.{name}"
    refuse_other_labels(annotator.probabilities, labels, key)
    named = [annotator.label] if annotator.label else []
    about = [column for column in (annotator.coder, annotator.answered_at) if column]
    columns = [*named, *annotator.votes, *annotator.probabilities.values(), *about]
    files = read_import_files(path, annotator.text, columns, f"{key}.reads")
    table = pd.concat([file.table.frame for file in files], ignore_index=True)
    ids = [identity for file in files for identity in file.ids]
    distributions = None
    if annotator.probabilities:
        distributions = np.concatenate(
            [distributions_in(file.table, annotator.probabilities, labels, key) for file in files]
        )
    places = pd.Index(rows["id"]).get_indexer(pd.Index(ids)).astype(np.int64)
    if (places < 0).all():
        raise LabelRiskError(
            f"{path} has none of the corpus's texts in its column '{annotator.text}'; "
            f"correct {key}.reads or .text in params.yaml"
        )
    if distributions is not None:
        answers = _given_answers(distributions, places, len(rows), labels)
    elif annotator.votes:
        answers = _voted_answers(table, annotator, places, len(rows), labels)
    else:
        answers = [Answer("missing")] * len(rows)
    if named:
        said = _values(table, named, places, labels)
        answers = [_with_label(answer, said[row], labels) for row, answer in enumerate(answers)]
    return _signed(answers, annotator, files, places)


def _signed(
    answers: Sequence[Answer], annotator: ImportAnnotator, files: Sequence[ImportFile], places: Codes
) -> list[Given]:
    """The answers with the names of who gave the label, and the latest time."""

    def column(name: str | None) -> list[object]:
        return [None] * len(places) if name is None else [cell for file in files for cell in file.table.frame[name]]

    labelled = (
        [True] * len(places) if annotator.label is None else [cell is not None for cell in column(annotator.label)]
    )
    times = [at for file in files for at in seconds(file.table, annotator.answered_at)]
    whose: dict[int, dict[str, None]] = defaultdict(dict)
    when: dict[int, int] = {}
    for place, counts, coder, at in zip(places.tolist(), labelled, people(column(annotator.coder)), times, strict=True):
        if counts and coder is not None:
            whose[place][coder] = None
        if counts and at is not None:
            when[place] = max(at, when.get(place, 0))
    return [Given(answer, "+".join(whose.get(row, ())) or None, when.get(row)) for row, answer in enumerate(answers)]


def _voted_answers(
    table: pd.DataFrame, annotator: ImportAnnotator, places: Codes, rows: int, labels: Sequence[str]
) -> list[Answer]:
    coders = ((places, codes_of(label_names(table[column], labels), labels)) for column in annotator.votes)
    answers = list(merged_answers(annotator.merge, votes_of(coders), rows, labels))
    voted = _values(table, annotator.votes, places, labels)
    for row, answer in enumerate(answers):
        if answer.label is not None:
            answers[row] = replace(answer, reply=answer.label)
        elif voted[row]:  # votes, but none for a label of the codebook
            answers[row] = Answer("off_list", reply=voted[row][0])
    return answers


def _given_answers(distributions: Distributions, places: Codes, rows: int, labels: Sequence[str]) -> list[Answer]:
    answers = [Answer("missing")] * rows
    known = np.flatnonzero((places >= 0) & ~np.isnan(distributions[:, 0]))
    best = distributions.argmax(axis=1)
    for place, values, code in zip(places[known], distributions[known], best[known], strict=True):
        before, probabilities = answers[place], tuple(values.tolist())
        if before.status == "missing":
            label = labels[code]
            answers[place] = Answer("ok", label, "probabilities", probabilities, reply=label)
        elif before.status == "ok" and before.probabilities != probabilities:
            answers[place] = Answer("contradictory", reply=f"{before.label} / {labels[code]}")
    return answers


def _with_label(answer: Answer, said: Sequence[str], labels: Sequence[str]) -> Answer:
    """The answer with the label of the column `label`, whatever the most votes or the highest probability say."""
    names = list(dict.fromkeys(said))
    if not names:
        return Answer("missing")
    if len(names) > 1:
        return Answer("contradictory", reply=" / ".join(names))
    if names[0] not in labels:
        return Answer("off_list", reply=names[0])
    if answer.status == "contradictory":  # two distributions
        return answer
    return replace(answer, status="ok", label=names[0], reply=names[0])


def _values(table: pd.DataFrame, columns: Iterable[str], places: Codes, labels: Sequence[str]) -> dict[int, list[str]]:
    """What stands in the columns about each row of the corpus: lists by position, [] where nothing does."""
    values: dict[int, list[str]] = defaultdict(list)
    for column in columns:
        for place, value in zip(places.tolist(), label_names(table[column], labels), strict=True):
            if value is not None and place >= 0:
                values[place].append(value)
    return values
