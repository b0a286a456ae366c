"""What you risk when you train a text classifier on LLM labels, and what buys the risk back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    from labelrisk.classifiers.voting import Classifier


def load(folder: str | os.PathLike[str]) -> Classifier:
    """The classifier of a folder such as `classifiers/chosen`: `load(folder).predict(texts)` gives their labels."""
    from labelrisk.classifiers.voting import load as load_classifier  # which takes seconds

    return load_classifier(folder)
