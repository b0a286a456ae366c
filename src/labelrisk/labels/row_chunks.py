"""Some rows that are labelled and written together, so that any number of rows fits into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from labelrisk.labels.labels_file import LabelledRow, labels_table


@dataclass
class Chunk:
    """Rows in their order.

    known: their labels as far as an earlier file has them, and where they go; asked: places of the other rows.
    """

    ids: list[str]
    splits: list[str]
    texts: list[str]
    known: pa.Table
    known_places: Any
    asked: list[int]
    labelled: dict[int, LabelledRow] = field(default_factory=dict)
    left: int = 0  # rows that got no answer
    vectors: dict[int, Any] = field(default_factory=dict)  # of asked rows, where demonstrations need them
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)  # of asked rows, where they are screened

    def is_complete(self) -> bool:
        """Whether all of its rows are labelled, or given up."""
        return len(self.labelled) + self.left == len(self.asked)

    def table(self) -> pa.Table:
        """The labels of all rows in their order."""
        if len(self.known) == len(self.ids) and (np.diff(self.known_places) > 0).all():
            return self.known
        both = pa.concat_tables([self.known, labels_table([self.labelled[place] for place in self.asked])])
        order = np.empty(len(self.ids), dtype=np.int64)
        order[np.concatenate([self.known_places, np.array(self.asked, dtype=np.int64)])] = np.arange(len(self.ids))
        return both.take(pa.array(order))
