"""What a corpus holds: rows, classes, duplicates, missing gold, splits, and what a run would stop at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from labelrisk.codebook import check_labels
from labelrisk.corpora.duplicates import without_duplicates
from labelrisk.corpora.files import FilesCorpus
from labelrisk.corpora.prepared import SPLITS
from labelrisk.corpora.raw_rows import Mistake, RawRows, plain
from labelrisk.corpora.rows import checked_rows, content_id
from labelrisk.corpora.splits import check_classes, with_splits
from labelrisk.corpora.tables import label_names
from labelrisk.errors import LabelRiskError, shown
from labelrisk.new_study.columns import GOLD, Columns
from labelrisk.new_study.label_columns import MOST_CLASSES
from labelrisk.settings.prepare import PrepareSettings
from labelrisk.statistics.class_codes import NO_LABEL

NUMBER = re.compile("-?[0-9]+")
SHARES = PrepareSettings(
    validation_share=0.15, test_share=0.25, train_rows=None, validation_rows=None, test_rows=None, seed=0
)


@dataclass(frozen=True)
class Contents:
    """Counts of a corpus.

    classes: rows by class, in the order of the codebook; splits: rows by split once duplicates are left out, empty
    where they can't be told; lacks_gold: whether a train row has no gold label; problem: the first thing that the stage
    `prepare` would stop at.
    """

    rows: int
    classes: dict[str, int]
    without_gold: int
    duplicates: int
    splits: dict[str, int]
    lacks_gold: bool
    problem: str | None


def contents_of(data: Path, columns: Columns) -> Contents:
    """Read the chosen columns and count.

    Raises LabelRiskError for gold that is no classes: none, one, more than MOST_CLASSES, or names that no codebook
    takes; and for NUL characters, which no text has.
    """
    corpus = FilesCorpus(
        kind="files", path=str(data), text=columns.text.name, gold=columns.gold.name, split=columns.split
    )
    parts = list(corpus.rows()[0])
    _refuse_nul(parts)
    texts = [text for part in parts for text in plain(part.texts) if isinstance(text, str) and text.strip()]
    gold = label_names(pd.Series([value for part in parts for value in plain(part.golds)], dtype=object))
    counts = gold.value_counts()
    classes = {name: int(counts[name]) for name in _in_order(list(counts.index))}
    _refuse_classes(data, columns.gold.name, classes, len(gold))
    duplicates = len(texts) - len({content_id(text) for text in texts})
    splits: dict[str, int] = {}
    lacks_gold = bool(gold.isna().any())
    problem = None
    try:
        split = with_splits(without_duplicates(checked_rows(parts, list(classes)))[0], SHARES)
        splits = {name: int(split.of_split(name).sum()) for name in SPLITS}
        lacks_gold = bool((split.golds == NO_LABEL).any())
        check_classes(split, list(classes))
    except LabelRiskError as error:
        problem = str(error)
    return Contents(len(gold), classes, int(gold.isna().sum()), duplicates, splits, lacks_gold, problem)


def _in_order(names: list[str]) -> list[str]:
    """Whole numbers by size, then words by the alphabet, with numbers in them by size."""
    numbers = [name for name in names if NUMBER.fullmatch(name)]
    return [*sorted(numbers, key=int), *sorted(set(names) - set(numbers), key=_parts)]


def _parts(name: str) -> list[tuple[bool, int, str]]:
    parts = [part for part in re.split("([0-9]+)", name) if part]
    return [(False, int(part), part) if NUMBER.fullmatch(part) else (True, 0, part) for part in parts]


def _refuse_nul(parts: Sequence[RawRows]) -> None:
    for column in ("text", "gold"):
        odd = Mistake()
        for part in parts:
            values = plain(part.texts if column == "text" else part.golds)
            odd.add(part, [row for row, value in enumerate(values) if isinstance(value, str) and "\0" in value], values)
        if odd.rows:
            raise LabelRiskError(
                f"{odd.where[0]}: the {column} holds a NUL character {odd.such_rows}; the file is damaged or of "
                "another kind: write it again as UTF-8"
            )


def _refuse_classes(data: Path, column: str, classes: dict[str, int], rows: int) -> None:
    if not classes:
        raise LabelRiskError(
            f"{data}: the column '{shown(column)}' is empty in all {rows:,} rows, so that there is no gold label; "
            f"test rows need gold labels: add some, or name another column with {GOLD}"
        )
    if len(classes) == 1:
        raise LabelRiskError(
            f"{data}: the column '{shown(column)}' holds one class only, '{shown(next(iter(classes)))}'; two or more "
            f"are needed: name another column with {GOLD}"
        )
    if len(classes) > MOST_CLASSES:
        some = ", ".join(f"'{shown(name, 20)}'" for name in list(classes)[:3])
        raise LabelRiskError(
            f"{data}: the column '{shown(column)}' holds {len(classes):,} different values, such as {some}; a study "
            f"takes {MOST_CLASSES} classes at most: put some together, or name another column with {GOLD}"
        )
    try:
        check_labels(classes)
    except ValueError as error:
        raise LabelRiskError(f"{data}, column '{shown(column)}': {error}") from None
