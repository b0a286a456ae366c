"""Which columns of a table hold gold labels, splits, and groups of rows: those with few different values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from labelrisk.corpora.prepared import SPLITS
from labelrisk.corpora.tables import label_names
from labelrisk.errors import shown
from labelrisk.new_study.column_names import words_of

MOST_CLASSES = 50
LONGEST = 60  # characters of a label on average; longer strings are texts
GOLD = {"gold", "human", "expert", "annotated", "adjudicated"}  # words for labels that people gave
# what columns of labels are often called, and words in the names of those that models gave
LABELS = {
    "gold",
    "label",
    "labels",
    "class",
    "classes",
    "category",
    "categories",
    "target",
    "annotation",
    "code",
    "stance",
    "sentiment",
    "topic",
    "y",
    "emotion",
    "intent",
    "polarity",
}
OF_MODELS = {
    "gpt",
    "llm",
    "model",
    "pred",
    "predicted",
    "prediction",
    "chatgpt",
    "claude",
    "gemini",
    "mistral",
    "llama",
    "auto",
    "silver",
    "weak",
}
DECIMAL = re.compile(r"[-+]?[0-9]*\.[0-9]*[1-9][0-9]*")  # a measurement; 1.0 may be a label beside missing ones
SPLIT_NAMES = {"split", "fold", "subset", "partition", "set"}
MOST_SLICES, LISTED_SLICES = 20, 5  # values of a column, and columns
SURE = ("gold", "label", "labels", "class", "category")  # a column of this name is gold, whatever it holds


class Labels(NamedTuple):
    """A column of few values: how many, in how many rows, and what its name and values speak for."""

    column: str
    values: int
    rows: int
    said_by_people: bool
    called: int  # 2: as labels are; 1: a word of its name is; 0: neither
    in_words: bool

    @property
    def rank(self) -> tuple[bool, int]:
        """What tells candidates apart for sure."""
        return self.said_by_people, self.called


def label_values(values: pd.Series) -> pd.Series:
    """The values as names of labels, without the missing ones."""
    return label_names(values).dropna()


def guessed_gold(frame: pd.DataFrame) -> tuple[str, str, tuple[str, ...]] | None:
    """The column, why it, and others that would have done as well; None where no column has as many values as classes.

    Columns whose names speak of models are taken last.
    """
    found = [labels for column in map(str, frame) if (labels := _labels(column, frame[column]))]
    by_people = [labels for labels in found if not OF_MODELS & set(words_of(labels.column))] or found
    named = next((column for column in map(str, frame) if column.casefold() in SURE), None)
    if not any(any(labels.rank) for labels in by_people) and named is not None:
        return named, "by its name", ()  # too many values, or one: whoever counts them says so
    if not by_people:
        return None
    best = max(by_people, key=lambda one: (one.rank, one.in_words))  # of equals the first
    alike = tuple(one.column for one in by_people if one is not best and one.rank == best.rank)
    figures = f"{best.values} different values in {best.rows:,} of {len(frame):,} rows"
    if any(best.rank):
        return best.column, f"by its name; {figures}", alike
    only = "the only column" if len(found) == 1 else f"one of {len(found)} columns"
    return best.column, f"{only} with 2 to {MOST_CLASSES} values; {figures}", alike


def _labels(column: str, values: pd.Series) -> Labels | None:
    names = label_values(values)
    different = names.unique()
    if not 2 <= len(different) <= min(MOST_CLASSES, max(2, len(names) // 2)):
        return None
    if any(DECIMAL.fullmatch(name) for name in different) or sum(map(len, different)) > LONGEST * len(different):
        return None
    words = words_of(column)
    called = 2 if column.casefold() in LABELS else int(any(word in LABELS for word in words))
    in_words = not all(re.fullmatch(r"[-+]?[0-9.]+", name) for name in different)
    return Labels(column, len(different), len(names), bool(GOLD & set(words)), called, in_words)


def split_of(frame: pd.DataFrame, taken: Sequence[str | None]) -> tuple[str | None, str | None]:
    """The column that says train, validation or test, and a sentence on one that means to; either may be None."""
    note = None
    for column in map(str, frame):
        if column in taken:
            continue
        found = set(label_values(frame[column]))
        if "train" in found and len(found) > 1 and found <= set(SPLITS):
            return column, None
        other = sorted(found - set(SPLITS))[:1]
        if SPLIT_NAMES & set(words_of(column)) and other and found & set(SPLITS) and len(found) <= MOST_SLICES:
            note = (
                f"the column '{column}' is not taken for the splits, since it holds '{shown(other[0])}', "
                f"which is none of {', '.join(SPLITS)}; write these and let corpus.split name it"
            )
    return None, note


def slice_candidates(frame: pd.DataFrame, taken: Sequence[str | None]) -> tuple[str, ...]:
    """Other columns of few values, by which results may be told apart."""
    free = [column for column in map(str, frame) if column not in taken and not OF_MODELS & set(words_of(column))]
    counts = {column: label_values(frame[column]) for column in free}
    found = [
        column
        for column, names in counts.items()
        if 2 <= names.nunique() <= MOST_SLICES
        and names.nunique() <= len(names) // 2
        and len(names) >= len(frame) / 2
        and not any(DECIMAL.fullmatch(name) for name in names.unique())
        and not SPLIT_NAMES & set(words_of(column))
    ]
    return tuple(found[:LISTED_SLICES])


def model_labels(frame: pd.DataFrame, gold: str, taken: Sequence[str | None]) -> tuple[str, ...]:
    """Columns of labels that models gave, by their names, and as most of their values are classes of `gold`."""
    classes = set(label_values(frame[gold]))
    found = []
    for column in map(str, frame):
        if column not in taken and OF_MODELS & set(words_of(column)):
            names = label_values(frame[column])
            if len(names) and names.isin(classes).mean() > 0.5:
                found.append(column)
    return tuple(found)
