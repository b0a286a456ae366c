"""The rows of a split whose gold label is known: what predictions are scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.corpora.prepared import Prepared
from labelrisk.statistics.class_codes import codes_of
from labelrisk.statistics.scores import Codes


@dataclass(frozen=True, eq=False)
class GoldRows(ReadOnlyArrays):
    """Ids and gold codes, (N,) each, in the order of the split."""

    ids: pd.Index[Any]
    gold: Codes


def read_gold_rows(prepared: Prepared, split: str) -> GoldRows:
    """Read the rows of one split that have a gold label."""
    rows = prepared.split(split).dropna(subset="gold")
    return GoldRows(pd.Index(rows["id"]), codes_of(rows["gold"], prepared.classes))
