"""A classifier with what was learned of it: labels with calibrated confidence, sets, and what is unlike its texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from labelrisk.classifiers.calibration import Calibration, digest, place_of, read_calibration
from labelrisk.classifiers.labelling import Said, columns_of, say
from labelrisk.classifiers.voting import Classifier
from labelrisk.errors import LabelRiskError, nearest, shown

if TYPE_CHECKING:
    from labelrisk.vectors.encoder import Encoder

ROWS = 1024  # texts that are read at once


class CalibratedClassifier(Classifier):
    """Students that vote, and what the stage calibrate wrote about them, which is read when it is first needed."""

    def __init__(
        self, folder: Path, calibration: Path | None = None, batch: int | None = None, graph: Path | None = None
    ) -> None:
        """calibration: its JSON file; None: `../calibration/NAME.json` beside the folder."""
        super().__init__(folder, batch, graph)
        self._place = calibration or place_of(folder)

    @cached_property
    def digest(self) -> str:
        """Of all files of the classifier."""
        return digest(self.folder)

    @cached_property
    def calibration(self) -> Calibration:
        """Raises LabelRiskError where there is none, or that of another classifier."""
        return read_calibration(self._place, self.digest)

    @cached_property
    def encoder(self) -> Encoder:
        """That of the vectors by which texts are called unlike the known ones."""
        from labelrisk.vectors.encoder import Encoder

        return Encoder(self.calibration.form.embed)

    def label(
        self, rows: Sequence[Any] | pd.DataFrame, text: str = "text", *, by_class: bool = False, prefix: str = ""
    ) -> pd.DataFrame:
        """The texts, or a frame's rows with its column `text`, and what is said of each (docs/howto/apply.md).

        by_class: sets that hold the right label of all but `risk` of the rows of each class; prefix: before the names
        of the new columns.
        Raises LabelRiskError for a single text, a column that is not there, and a name that the frame has already.
        """
        if isinstance(rows, str):
            raise LabelRiskError("a list of texts or a frame is asked for, not a single text; write [text]")
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame({text: list(rows)})
        if text not in frame:
            raise LabelRiskError(f"the frame has no column '{shown(text)}'; {nearest(text, map(str, frame.columns))}")
        texts = [None if value is pd.NA else value for value in frame[text].tolist()]
        parts = [self._columns(texts[at : at + ROWS], by_class) for at in range(0, max(len(texts), 1), ROWS)]
        found = pd.concat(parts, ignore_index=True).set_axis(frame.index)
        found.columns = [f"{prefix}{name}" for name in found]
        if twice := [name for name in found if name in frame]:
            raise LabelRiskError(f"the frame has a column '{shown(twice[0])}' already; give a prefix, or rename it")
        return pd.concat([frame, found], axis=1)

    def say(self, texts: Sequence[Any]) -> Said:
        """What is said of texts, as arrays."""
        return say(self, self.encoder, self.calibration, texts)

    def _columns(self, texts: Sequence[Any], by_class: bool) -> pd.DataFrame:
        columns = columns_of(self.say(texts), self.classes, self.calibration, by_class=by_class)
        return pd.DataFrame({name: of.to_pandas() for name, of in columns.items()})


def load(folder: str | os.PathLike[str], calibration: str | os.PathLike[str] | None = None) -> CalibratedClassifier:
    """The classifier of a folder that the stage `ensemble` or `distil` wrote."""
    return CalibratedClassifier(Path(folder), None if calibration is None else Path(calibration))
