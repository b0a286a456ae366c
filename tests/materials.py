"""What sources are made of, from small frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from labelrisk.sources.building import build_source
from labelrisk.sources.material import Material
from labelrisk.sources.source import Source

COLUMNS = ("label", "status", "entropy", "probabilities", "votes", "sampling_probability")


def material(
    train: pd.DataFrame,
    answers: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    validation: Mapping[str, pd.DataFrame] | None = None,
    gold: pd.DataFrame | None = None,
    vectors: np.ndarray | None = None,
) -> Material:
    """answers, validation: by annotator, for train and validation rows; what a column says is None where it is absent.

    gold: the validation rows.
    """
    splits = {"train": answers, "validation": validation or {}}
    filled = {
        (name, split): frame.reindex(columns=[*dict.fromkeys([*frame.columns, *COLUMNS])])
        for split, of in splits.items()
        for name, frame in of.items()
    }
    return Material(
        train=train,
        validation=train[:0] if gold is None else gold,
        classes=tuple(classes),
        answers=lambda name, split: filled[name, split],
        vectors=lambda: vectors,
    )


def built_frame(name: str, source: Source, known: Material, *, seed: int, student: int) -> pd.DataFrame:
    """A built source as a frame with the ids and texts of its rows; attrs: its notes."""
    built = build_source(name, source, known, seed=seed, student=student)
    found = pd.concat([known.train[["id", "text"]].reset_index(drop=True), built.frame()], axis=1)
    found.attrs["notes"] = built.notes
    return found
