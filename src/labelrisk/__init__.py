"""What you risk when you train a text classifier on LLM labels, and what buys the risk back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    from labelrisk.classifiers.calibrated import CalibratedClassifier


def load(folder: str | os.PathLike[str], calibration: str | os.PathLike[str] | None = None) -> CalibratedClassifier:
    """The classifier of a folder such as `classifiers/chosen`: `load(folder).predict(texts)` gives their labels.

    `load(folder).label(texts)` gives a frame with confidence, sets and a warning too; calibration: the JSON file for
    these, which is otherwise looked for beside the folder.
    """
    from labelrisk.classifiers.calibrated import load as load_classifier  # which takes seconds

    return load_classifier(folder, calibration)
