"""The prepared rows as all later stages read them: one folder, written by `prepare`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelrisk.errors import LabelRiskError
from labelrisk.files import read_frame, read_json, undamaged
from labelrisk.parquet_parts import in_parts

SPLITS = ("train", "validation", "test")
COLUMNS = ["id", "text", "gold"]
ROWS_AT_ONCE = 1 << 16  # a group of rows in the files
SLICE = "slice "  # before the name of a column that corpus.slices names, so that it can be called `text`, or `id`


class Rows(Protocol):
    """Prepared rows, all or some of them, as annotators go through them."""

    def batches(self, rows: int) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The ids and texts in their order, at most so many rows at a time, each batch with its split."""

    def __len__(self) -> int: ...


class Prepared:
    """The folder: a table `id, text, gold` for each split, rows that prompts may show, the class order, and where
    corpus.slices names columns the values of these.

    Raises LabelRiskError when `prepare` has not written it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not self._file("train").is_file():
            raise LabelRiskError(f"{folder} holds no rows yet; run `dvc repro prepare`, which asks no annotator")

    @property
    def classes(self) -> list[str]:
        """Label names in class order."""
        names: list[str] = read_json(self.folder / "labels.json")
        return names

    def split(self, name: str, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
        """The rows of one split; columns: those that are needed, for texts may be long."""
        return read_frame(self._file(name), columns)

    def first(self, name: str, rows: int | None) -> pd.DataFrame:
        """The first rows of one split; None: all."""
        parts, left = [], self.count(name) if rows is None else rows
        for batch in self.columns(name, COLUMNS, ROWS_AT_ONCE):
            parts.append(batch.slice(0, left))
            left -= len(parts[-1])
            if not left:
                break
        return self._frame(name, parts)

    def with_gold(self, name: str) -> pd.DataFrame:
        """The rows of one split that have gold."""
        batches = self.columns(name, COLUMNS, ROWS_AT_ONCE)
        return self._frame(name, [batch.filter(batch["gold"].is_valid()) for batch in batches])

    def rows(self, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
        """The rows of all splits in their order, with the column `split`."""
        return pd.concat([self.split(name, columns).assign(split=name) for name in SPLITS])

    def batches(self, rows: int) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The ids and texts of all splits in their order, at most so many rows at a time, each with its split."""
        return self.parts(SPLITS, rows)

    def parts(self, splits: Iterable[str], rows: int = 2**14) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The same of some splits."""
        for name in splits:
            for batch in self.columns(name, ["id", "text"], rows):
                yield name, batch

    def columns(self, name: str, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Columns of one split, at most so many rows at a time."""
        with undamaged(self._file(name)):
            yield from in_parts(self._file(name)).iter_batches(rows, columns=list(columns))

    def texts(self, name: str, ids: pd.Index[Any]) -> pd.Series:
        """The texts of some rows of one split, by id, in the order of the split."""
        asked = pa.array(ids, pa.large_string())
        parts = [
            batch.filter(pc.is_in(batch["id"].cast(asked.type), value_set=asked))
            for batch in self.columns(name, ["id", "text"], ROWS_AT_ONCE)
        ]
        schema = pa.schema([("id", asked.type), ("text", pa.large_string())])
        table = pa.concat_tables([schema.empty_table(), *(pa.Table.from_batches([one]).cast(schema) for one in parts)])
        found: pd.Series = table.to_pandas().set_index("id")["text"]
        return found

    def demonstrations(self) -> Iterator[pd.DataFrame]:
        """Rows with gold that prompts may show, some at a time."""
        for batch in self.columns("demonstrations", COLUMNS, ROWS_AT_ONCE):
            yield batch.filter(batch["gold"].is_valid()).to_pandas()

    def slices(self, ids: pd.Index[Any]) -> dict[str, NDArray[np.object_]]:
        """By column that corpus.slices names: the values of these rows, None where there is none."""
        file = self._file("slices")
        if not file.is_file():
            return {}
        asked = pa.array(ids, pa.large_string())
        with undamaged(file):
            parts = in_parts(file)
            of_rows = [
                batch.filter(pc.is_in(batch["id"].cast(asked.type), value_set=asked)) for batch in parts.iter_batches()
            ]
            found = pa.Table.from_batches(of_rows, parts.schema_arrow).to_pandas()
        values = found.set_index("id").reindex(ids).astype(object)
        return {
            str(name).removeprefix(SLICE): values[name].where(values[name].notna(), None).to_numpy() for name in values
        }

    def __len__(self) -> int:
        return sum(map(self.count, SPLITS))

    def count(self, split: str) -> int:
        """Rows of a split."""
        with undamaged(self._file(split)):
            rows: int = pq.read_metadata(self._file(split)).num_rows
        return rows

    def some(self, split: str, first: int, rows: int) -> pa.Table:
        """The ids and texts of so many rows of a split, or as many as there are from this one on."""
        with undamaged(self._file(split)):
            file = in_parts(self._file(split))
            groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            ends = np.cumsum(groups)
            start, stop = np.searchsorted(ends, [first, min(first + rows, ends[-1]) - 1], side="right")
            table = file.read_row_groups(list(range(start, stop + 1)), columns=["id", "text"])
            return table.slice(first - int(ends[start] - groups[start]), rows)

    def _frame(self, name: str, batches: list[pa.RecordBatch]) -> pd.DataFrame:
        schema = pa.schema([pq.read_schema(self._file(name)).field(column) for column in COLUMNS])
        table = pa.Table.from_batches(batches, schema)
        with undamaged(self._file(name)):
            table.validate(full=True)
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"
