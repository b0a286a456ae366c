"""What a run says about all rows, and about the rows of each slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from labelrisk.applying.shares import ClassShares, class_shares
from labelrisk.applying.totals import Totals
from labelrisk.classifiers.calibration import Calibration
from labelrisk.classifiers.labelling import Said, tempered, unlike_rows
from labelrisk.errors import LabelRiskError, shown
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.unlikeness import Unlike, unlike

SLICES = 1000  # values of a column, of each of which counts are held
NO_VALUE = "(none)"


class Summary:
    """Counts, shares and unlike texts, of all rows and by slice."""

    def __init__(
        self, classes: Sequence[str], calibration: Calibration | None, *, has_gold: bool, has_distance: bool
    ) -> None:
        self.classes, self.calibration = tuple(classes), calibration
        self.has_gold, self.has_distance = has_gold, has_distance and calibration is not None
        self.whole = Totals(len(classes))
        self._slices: dict[str, Totals] = {}

    def add(
        self,
        said: Said,
        slices: Sequence[object] | None = None,
        gold: NDArray[np.int64] | None = None,
        drawn: Floats | None = None,
    ) -> None:
        """Count rows; slices: the values of a column; gold: class codes, -1 for none; drawn: chances, nan for none.

        Raises LabelRiskError for a column of too many values.
        """
        rows = len(said.reasons)
        probabilities = tempered(said, self.calibration).astype(np.float64)
        far = unlike_rows(said, self.calibration) if self.calibration and self.has_distance else np.zeros(rows, bool)
        gold = np.full(rows, -1) if gold is None else gold
        drawn = np.full(rows, np.nan) if drawn is None else drawn
        reasons = np.array(said.reasons, dtype=object)
        self.whole.add(probabilities, far, said.full, said.reasons, gold, drawn)
        if slices is None:
            return
        values = np.array([NO_VALUE if value is None else str(value) for value in slices], dtype=object)
        for value in dict.fromkeys(values.tolist()):
            here = values == value
            self._slice(value).add(
                probabilities[here], far[here], said.full[here], reasons[here], gold[here], drawn[here]
            )

    def _slice(self, value: str) -> Totals:
        if value not in self._slices and len(self._slices) == SLICES:
            raise LabelRiskError(
                f"the column of --by has more than {SLICES:,} values (one is '{shown(value)}'); name a column of groups"
            )
        return self._slices.setdefault(value, Totals(len(self.classes)))

    @property
    def slices(self) -> Mapping[str, Totals]:
        """By value, those of most rows first."""
        return dict(sorted(self._slices.items(), key=lambda one: (-one[1].rows, one[0])))

    def shares(self, totals: Totals) -> ClassShares | None:
        """Of all rows or a slice; None without a label."""
        return class_shares(totals, self.calibration, has_gold=self.has_gold, whole=self.whole)

    def unlike(self, totals: Totals) -> Unlike | None:
        """Of all rows or a slice; None without distances."""
        if self.calibration is None or not self.has_distance or not totals.rows:
            return None
        form = self.calibration.form
        return unlike(totals.unlike, totals.rows, len(self.calibration.distances), form.unlike, form.confidence)

    def warned_slices(self) -> list[str]:
        """The values whose texts are surely unlike the known ones, for all slices together (Bonferroni)."""
        if self.calibration is None:
            return []
        level = (1 - self.calibration.form.confidence) / max(len(self._slices), 1)
        return [name for name, of in self.slices.items() if (found := self.unlike(of)) and found.p <= level]

    @property
    def is_unlike(self) -> bool:
        """Whether the texts as a whole are surely unlike the known ones."""
        found = self.unlike(self.whole)
        return found is not None and self.calibration is not None and found.p <= 1 - self.calibration.form.confidence
