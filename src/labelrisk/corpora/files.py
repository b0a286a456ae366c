"""The corpus of kind `files`: the user's own texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelrisk.corpora.formats import FORMATS
from labelrisk.corpora.prepared import SPLITS
from labelrisk.corpora.raw_rows import Mistake, RawRows, plain
from labelrisk.corpora.table_parts import stream_table
from labelrisk.corpora.tables import is_missing, label_name, spellings
from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.settings.section import Columns, Section


class FilesCorpus(Section):
    """One CSV, TSV, JSONL or Parquet file, split here or by a column, or a folder with one file per split."""

    kind: Literal["files"]  # your own files
    path: str  # a CSV, TSV, JSONL or Parquet, or a folder with one file per split
    text: str = "text"  # the column of the texts
    gold: str = "gold"  # the column of the gold labels
    split: str | None = None  # a column with train, validation, test; null: split here
    only: dict[str, str] = {}  # column -> value: other rows are left out
    slices: Columns = ()  # columns by whose values all scores are told, too

    def rows(self, most: int | None = None) -> tuple[Iterator[RawRows], dict[str, Any]]:
        """See RawCorpus; most: rows of each file, to look at the first ones.

        Raises LabelRiskError for a folder without a train file, two files for a split, or an unknown split.
        """
        dropped: dict[str, int] = {"not_in_only": 0} if self.only else {}
        return _wanted_rows(Path(self.path), self, most, dropped), {"corpus": self.path, "dropped": dropped}


def _wanted_rows(path: Path, corpus: FilesCorpus, most: int | None, dropped: dict[str, int]) -> Iterator[RawRows]:
    files: list[tuple[str | None, Path]] = [*split_files(path).items()] if path.is_dir() else [(None, path)]
    read = wanted = 0
    for split, file in files:
        for rows, chosen in _rows_of(file, corpus, split, most):
            read, wanted = read + len(chosen), wanted + int(chosen.sum())
            if corpus.only:
                dropped["not_in_only"] += int((~chosen).sum())
            yield rows.only(chosen)
    if not wanted and (most is None or read < most):
        raise LabelRiskError(f"{corpus.path} has no row where {corpus.only}; correct corpus.only in params.yaml")


def split_files(path: Path) -> dict[str, Path]:
    """By split the file of it in a folder, where there is one.

    Raises LabelRiskError for a folder without a train file, and for two files of one split.
    """
    found = {
        split: [path / f"{split}{suffix}" for suffix in FORMATS if (path / f"{split}{suffix}").is_file()]
        for split in SPLITS
    }
    for split, files in found.items():
        if len(files) > 1:
            raise LabelRiskError(f"{path} holds {files[0].name} and {files[1].name} for {split}; keep one of them")
    if not found["train"]:
        raise LabelRiskError(f"{path} holds no train file; add one of {', '.join('train' + end for end in FORMATS)}")
    return {split: files[0] for split, files in found.items() if files}


def _rows_of(
    path: Path, corpus: FilesCorpus, split: str | None, most: int | None
) -> Iterator[tuple[RawRows, NDArray[np.bool_]]]:
    """The rows of a file, and which of them are wanted."""
    named = dict.fromkeys(corpus.only, "corpus.only") | dict.fromkeys(corpus.slices, "corpus.slices")
    named |= {corpus.split: "corpus.split"} if corpus.split and split is None else {}
    named |= {corpus.gold: "corpus.gold", corpus.text: "corpus.text"}
    unknown = Mistake()
    for table in stream_table(path, dict(reversed(named.items())), "corpus.path", most):
        columns, numbers = table.columns, np.asarray(table.numbers, dtype=np.int64)
        wanted = np.ones(len(numbers), dtype=bool)
        for column, value in corpus.only.items():
            spelled = spellings([value])
            wanted &= np.array([label_name(one, spelled) == value for one in plain(columns[column])])
        splits = [split] * len(numbers)
        if corpus.split and split is None:
            splits = [None if is_missing(name) else name for name in plain(columns[corpus.split])]
        rows = RawRows(
            columns[corpus.text],
            columns[corpus.gold],
            None if split is None and not corpus.split else splits,
            {column: columns[column] for column in corpus.slices},
            f"{path}, {table.unit}",
            numbers,
        )
        strange = [row for row, name in enumerate(splits) if name is not None and name not in SPLITS and wanted[row]]
        unknown.add(rows, strange, splits)
        if not unknown.rows:
            yield rows, wanted
    if unknown.rows:
        name = str(unknown.first)
        raise LabelRiskError(
            f"{unknown.where[0]}: unknown split '{shown(name)}' {unknown.such_rows}; {nearest(name, SPLITS)}"
        )
