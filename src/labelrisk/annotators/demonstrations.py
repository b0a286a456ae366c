"""Demonstrations: train rows with gold that are shown in the prompt, never the row that is asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from labelrisk.errors import LabelRiskError


class Demonstrations:
    """A fixed draw of `shots` train rows; a drawn row that is itself asked sees the next one instead.

    Raises LabelRiskError when train has too few rows with gold.
    """

    def __init__(self, train: pd.DataFrame, shots: int, draw: str, seed: int, annotator: str) -> None:
        graded = train.dropna(subset="gold")
        if shots and len(graded) <= shots:
            raise LabelRiskError(
                f"params.yaml: annotators.{annotator}.shots is {shots} but train has {len(graded)} rows with gold to "
                "show; lower it or add gold"
            )
        order = np.random.default_rng(seed).permutation(len(graded))
        if draw == "balanced":  # the first of every class, then the second of every class, ...
            rank = graded.iloc[order].groupby("gold").cumcount().to_numpy()
            order = order[np.argsort(rank, kind="stable")]
        drawn = graded.iloc[order[: shots + 1]]
        self._shots = shots
        self._drawn = list(zip(drawn["id"], drawn["text"], drawn["gold"], strict=True))

    def shown_to(self, asked_id: str) -> list[tuple[str, str]]:
        """Pairs of text and label for the row that is asked."""
        return [(text, gold) for identity, text, gold in self._without(asked_id)][: self._shots]

    def _without(self, asked_id: str) -> Iterator[tuple[str, str, str]]:
        return (row for row in self._drawn if row[0] != asked_id)
