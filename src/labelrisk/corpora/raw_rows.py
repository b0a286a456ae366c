"""Rows as a corpus has them, some at a time, and where each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.errors import such_rows

Numbers = NDArray[np.int64]


class RawRows(NamedTuple):
    """Some rows.  Values are an Arrow array of strings, or a list of what was written (see tables.checked_values).

    split: names of splits, None where they are to be drawn; slices: values by the column that corpus.slices names;
    of, numbers: where the rows stand: `texts.csv, line` and the number of each.
    """

    texts: Any
    golds: Any
    splits: Any
    slices: dict[str, Any]
    of: str
    numbers: Numbers

    def where(self, row: int) -> str:
        """Where one row stands, for messages."""
        return f"{self.of} {self.numbers[row]}"

    def only(self, wanted: NDArray[np.bool_]) -> RawRows:
        """Those of the rows that are wanted."""
        if wanted.all():
            return self
        texts, golds, splits = (_chosen(values, wanted) for values in (self.texts, self.golds, self.splits))
        slices = {name: _chosen(values, wanted) for name, values in self.slices.items()}
        return RawRows(texts, golds, splits, slices, self.of, self.numbers[wanted])


class Mistake:
    """Rows with one mistake, counted while they pass: how many, where the first three are, and what the first holds."""

    def __init__(self) -> None:
        self.rows = 0
        self.where: list[str] = []
        self.first: Any = None

    def add(self, raw: RawRows, rows: Sequence[int] | Numbers, values: Sequence[Any]) -> None:
        """Positions of rows that have it, and the values of all."""
        if len(rows) and not self.rows:
            self.first = values[rows[0]]
        self.where += [raw.where(row) for row in rows[: 3 - len(self.where)]]
        self.rows += len(rows)

    @property
    def such_rows(self) -> str:
        """How many there are, and where the second and third are."""
        file = self.where[0].rpartition(", ")[0]
        others = [place.removeprefix(f"{file}, ") for place in self.where[1:]]
        return such_rows(self.rows, f", also in {', '.join(others)}" if others else "")


def plain(values: Any) -> list[Any]:
    """Values as Python's own, None where missing."""
    return values if isinstance(values, list) else values.to_pylist()


def _chosen(values: Any, wanted: NDArray[np.bool_]) -> Any:
    if values is None:
        return None
    if isinstance(values, list):
        return [value for value, is_wanted in zip(values, wanted, strict=True) if is_wanted]
    return values.filter(pa.array(wanted))
