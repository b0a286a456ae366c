"""The corpus of kind `files`: the user's own texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from labelrisk.corpora.formats import FORMATS
from labelrisk.corpora.prepared import SLICE, SPLITS
from labelrisk.corpora.rows import such_rows_in
from labelrisk.corpora.tables import label_names, read_table
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

    def rows(self, most: int | None = None) -> tuple[pd.DataFrame, dict[str, Any]]:
        """The raw rows (see RawCorpus) and their origin; most: of each file, to look at the first ones.

        Raises LabelRiskError for a folder without a train file, two files for a split, or an unknown split.
        """
        every = _every_row(Path(self.path), self, most)
        rows = every[every.pop("wanted")].reset_index(drop=True)
        if rows.empty and (most is None or len(every) < most):
            raise LabelRiskError(f"{self.path} has no row where {self.only}; correct corpus.only in params.yaml")
        return rows, {"corpus": self.path, "dropped": {"not_in_only": len(every) - len(rows)} if self.only else {}}


def _every_row(path: Path, corpus: FilesCorpus, most: int | None) -> pd.DataFrame:
    if not path.is_dir():
        return _rows_of(path, corpus, None, most)
    parts = [_rows_of(file, corpus, split, most) for split, file in split_files(path).items()]
    return pd.concat(parts, ignore_index=True)


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


def _rows_of(path: Path, corpus: FilesCorpus, split: str | None, most: int | None) -> pd.DataFrame:
    named = dict.fromkeys(corpus.only, "corpus.only") | dict.fromkeys(corpus.slices, "corpus.slices")
    named |= {corpus.split: "corpus.split"} if corpus.split and split is None else {}
    named |= {corpus.gold: "corpus.gold", corpus.text: "corpus.text"}
    table = read_table(path, dict(reversed(named.items())), "corpus.path", most)
    frame = table.frame
    splits = frame[corpus.split] if corpus.split and split is None else pd.Series([split] * len(frame))
    rows = pd.DataFrame(
        {"text": frame[corpus.text], "gold": frame[corpus.gold], "split": splits.astype(object), "where": table.places}
    )
    for column in corpus.slices:
        rows[f"{SLICE}{column}"] = frame[column].astype(object)  # of files of several splits, one may hold numbers
    rows["wanted"] = True
    for column, value in corpus.only.items():
        rows["wanted"] &= label_names(frame[column], [value]) == value
    rows["split"] = rows["split"].where(rows["split"].notna(), None)
    unknown = rows["wanted"] & rows["split"].notna() & ~rows["split"].isin(SPLITS)
    if unknown.any():
        name = str(rows["split"][unknown].iloc[0])
        where = rows["where"][unknown]
        raise LabelRiskError(
            f"{where.iloc[0]}: unknown split '{shown(name)}' {such_rows_in(where)}; {nearest(name, SPLITS)}"
        )
    return rows
