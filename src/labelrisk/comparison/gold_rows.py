"""The rows of a split whose gold label is known: what predictions are scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.corpora.prepared import Prepared
from labelrisk.statistics.class_codes import codes_of
from labelrisk.statistics.scores import Codes


@dataclass(frozen=True, eq=False)
class GoldRows(ReadOnlyArrays):
    """Ids and gold codes, (N,) each, in the order of the split; slices: by column the values (N,), None for none."""

    ids: pd.Index[Any]
    gold: Codes
    slices: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)

    def part(self, rows: NDArray[np.int64]) -> GoldRows:
        """Those rows alone, by their positions."""
        return GoldRows(self.ids[rows], self.gold[rows], {name: of[rows] for name, of in self.slices.items()})


def read_gold_rows(prepared: Prepared, split: str) -> GoldRows:
    """Read the rows of one split that have a gold label."""
    rows = prepared.with_gold(split)
    ids = pd.Index(rows["id"])
    return GoldRows(ids, codes_of(rows["gold"], prepared.classes), prepared.slices(ids))
