"""The columns of an output: those of the input, and ours, under names that are free."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from labelrisk.classifiers.calibration import Calibration
from labelrisk.classifiers.labelling import Said, column_types, columns_of
from labelrisk.errors import LabelRiskError, shown


class Columns:
    """What is added to rows."""

    def __init__(
        self, classes: Sequence[str], calibration: Calibration | None, *, distance: bool, by_class: bool, prefix: str
    ) -> None:
        self._classes, self._calibration = classes, calibration
        self._distance, self._by_class, self._prefix = distance, by_class, prefix
        fields = column_types(classes, calibrated=calibration is not None, distance=distance)
        self.fields = [field.with_name(f"{prefix}{field.name}") for field in fields]

    def schema(self, of_input: pa.Schema, where: str) -> pa.Schema:
        """All columns.  Raises LabelRiskError for a name that the input has already."""
        for field in self.fields:
            if field.name in of_input.names:
                other = "pred_" if self._prefix != "pred_" else "labelrisk_"
                raise LabelRiskError(
                    f"{where} has a column '{shown(field.name)}' already, which would be written; give "
                    f"--prefix {other} (or another) for the new columns"
                )
        return pa.schema([*of_input, *self.fields])

    def arrays(self, said: Said) -> list[pa.Array]:
        """Ours, in the order of `fields`."""
        found = columns_of(said, self._classes, self._calibration, by_class=self._by_class, distance=self._distance)
        return list(found.values())
