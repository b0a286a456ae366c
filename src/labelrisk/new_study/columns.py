"""Which columns of a user's file hold the texts, the gold labels and the splits: named by the user, or guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from labelrisk.corpora.files import split_files
from labelrisk.corpora.formats import SEPARATORS, other_columns
from labelrisk.corpora.tables import Table, read_table
from labelrisk.corpora.whole_tables import read_whole_table
from labelrisk.errors import LISTED, LabelRiskError, shown
from labelrisk.new_study.label_columns import (
    MOST_CLASSES,
    guessed_gold,
    label_values,
    model_labels,
    slice_candidates,
    split_of,
)
from labelrisk.new_study.text_columns import guessed_text

DATA, TEXT, GOLD = "--data", "--text", "--gold"  # options of `labelrisk init`


@dataclass(frozen=True)
class Column:
    """A column that was chosen: its name, the reason in words, and those that would have done as well."""

    name: str
    why: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns of a corpus; split: None where there is none; note: what is odd about the splits.

    slices: columns by whose values results may be told apart; labelled: columns of labels that models gave.
    """

    text: Column
    gold: Column
    split: str | None
    slices: tuple[str, ...]
    labelled: tuple[str, ...]
    note: str | None = None


def chosen_columns(data: Path, text: str | None, gold: str | None) -> Columns:
    """Choose the columns of a file, or of the train file of a folder; text, gold: as the user names them.

    Raises LabelRiskError for a name that the file does not have, and where nothing in it looks like what is needed.
    """
    path = split_files(data)["train"] if data.is_dir() else data
    names, table = read_whole_table(path, DATA)
    for option, name in ((TEXT, text), (GOLD, gold)):
        if name is not None:
            _refuse_absent(path, names, table, option, name)
    if text is not None and text == gold:
        raise LabelRiskError(f"{TEXT} and {GOLD} both name '{shown(text)}'; name two columns")
    if len(names) == 1 and path.suffix.lower() in SEPARATORS:
        column = "text" if names[0] != "text" else "gold"
        raise LabelRiskError(f"{path} has no column '{column}', only one: {other_columns(path, column, names)}")
    frame = table.frame
    split, note = (None, None) if data.is_dir() else split_of(frame, taken=(text, gold))
    texts = Column(text, f"as {TEXT} says") if text else _text(path, frame, taken=(gold, split))
    golds = Column(gold, f"as {GOLD} says") if gold else _gold(path, frame, taken=(texts.name, split))
    taken = (texts.name, golds.name, split)
    labelled = model_labels(frame, golds.name, taken)
    return Columns(texts, golds, split, slice_candidates(frame, taken), labelled, note)


def _refuse_absent(path: Path, names: Sequence[str], table: Table, option: str, name: str) -> None:
    if name not in names:
        raise LabelRiskError(
            f"{path} has no column '{shown(name)}', which {option} names; {other_columns(path, name, names)}"
        )
    if name not in table.frame:  # it stands twice, or holds lists: the reader says so
        read_table(path, {name: option}, DATA)
        raise LabelRiskError(f"{path}: the column '{shown(name)}', which {option} names, has no name; give it one")


def _text(path: Path, frame: pd.DataFrame, taken: Sequence[str | None]) -> Column:
    found = guessed_text(frame.drop(columns=[name for name in taken if name is not None]))
    if found is None:
        raise LabelRiskError(
            f"{path} has no column that looks like texts (strings of which most differ); name it with {TEXT} "
            f"({_listed(frame)})"
        )
    return Column(*found)


def _gold(path: Path, frame: pd.DataFrame, taken: Sequence[str | None]) -> Column:
    free = frame.drop(columns=[name for name in taken if name is not None])
    found = guessed_gold(free)
    if found is None:
        raise LabelRiskError(
            f"{path} has no column of 2 to {MOST_CLASSES} different values that could be gold labels; name it with "
            f"{GOLD} ({_listed(frame)})"
        )
    return Column(*found)


def _listed(frame: pd.DataFrame) -> str:
    """The columns with how many different values each has."""
    parts = [f"{shown(name, 30)}: {label_values(frame[name]).nunique():,} values" for name in list(frame)[:LISTED]]
    return "its columns: " + ", ".join(parts) + (", ..." if len(frame.columns) > LISTED else "")
