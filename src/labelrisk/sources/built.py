"""A source as it was built for one student: the label of each train row, and what is learned beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.sources.row_labels import RowLabels, Rows


@dataclass(frozen=True, eq=False)
class BuiltSource:
    """labels: of all train rows, in their order.

    learned: where students learn from more than labels, `soft` or `candidates` (N, K) and `weight` (N,); a row without
    a label has none of them.  notes: what a repair measured about itself.
    """

    labels: RowLabels
    classes: Sequence[str]
    learned: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: Mapping[str, float] = field(default_factory=dict)

    def frame(self, rows: Rows = slice(None)) -> pd.DataFrame:
        """`label, origin, labeller, why` and what is learned beside, of some rows."""
        found = self.labels.frame(rows, self.classes)
        labelled = self.labels.labelled[rows]
        for column, values in self.learned.items():
            of = values[rows]
            found[column] = (
                of if of.ndim == 1 else [one if has else None for one, has in zip(of, labelled, strict=True)]
            )
        return found

    def arrays(self, rows: slice) -> dict[str, pa.Array]:
        """The same columns, as they are written."""
        found = self.labels.arrays(rows, self.classes)
        labelled = self.labels.labelled[rows]
        for column, values in self.learned.items():
            of = values[rows]
            found[column] = pa.array(of, from_pandas=True) if of.ndim == 1 else _lists(of, labelled)
        return found

    def digest(self) -> bytes:
        """The same for what is written alike."""
        found = hashlib.sha256()
        of = self.labels
        for words in (of.origins, of.labellers, of.reasons):
            found.update(repr(words.names).encode())
        for array in (of.codes, of.origins.codes, of.labellers.codes, of.reasons.codes, *self.learned.values()):
            found.update(np.ascontiguousarray(array).data)
        return found.digest()


def _lists(values: NDArray[Any], present: NDArray[np.bool_]) -> pa.Array:
    """Rows of a matrix as lists, none where they are not present."""
    ends = np.concatenate([[0], np.cumsum(present) * values.shape[1]]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(values[present].reshape(-1)), mask=pa.array(~present))
