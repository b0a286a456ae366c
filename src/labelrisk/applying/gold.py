"""Gold labels that some rows of a file have, and the chance with which each of these rows was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.applying.inputs import Input
from labelrisk.corpora.tables import label_names
from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.statistics.class_codes import NO_LABEL, codes_of
from labelrisk.statistics.scores import Floats


class Gold(NamedTuple):
    """The columns of gold labels, and of chances (None: drawn at random)."""

    column: str
    probability: str | None
    classes: Sequence[str]

    def of(self, batch: pa.RecordBatch) -> tuple[NDArray[np.int64], Floats]:
        """Class codes, -1 where there is no gold, and chances, nan where there is none."""
        codes = codes_of(self._names(batch), self.classes)
        if self.probability is None:
            return codes, np.full(len(batch), np.nan)
        return codes, pd.to_numeric(self._probabilities(batch), errors="coerce").to_numpy(dtype=np.float64)

    def check(self, name: str, source: Input) -> None:
        """Raise LabelRiskError that names the row: for gold that is no class, and a chance that is none."""
        first = 1
        wanted = [self.column, *([self.probability] if self.probability is not None else [])]
        for batch in source.batches(wanted):
            names = self._names(batch)
            codes, chances = self.of(batch)
            for row in np.flatnonzero(names.notna().to_numpy() & (codes == NO_LABEL))[:1]:
                raise LabelRiskError(
                    f"{name}, row {first + row:,}: the gold label '{shown(names.iloc[row])}' is no class of the "
                    f"classifier; {nearest(names.iloc[row], self.classes)}"
                )
            wrong = (codes != NO_LABEL) & ~((chances > 0) & (chances <= 1))
            if self.probability is not None and wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                found = shown(self._probabilities(batch).iloc[row])
                raise LabelRiskError(
                    f"{name}, row {first + row:,}: {self.probability} is {found}, but the row has gold; write "
                    "the chance with which it was drawn, above 0 and up to 1"
                )
            first += len(batch)

    def _names(self, batch: pa.RecordBatch) -> pd.Series:
        names = label_names(pd.Series(batch[self.column].to_pylist(), dtype=object), self.classes)
        return names.where(names.notna(), None)

    def _probabilities(self, batch: pa.RecordBatch) -> pd.Series:
        return pd.Series(batch[str(self.probability)].to_pylist(), dtype=object)
