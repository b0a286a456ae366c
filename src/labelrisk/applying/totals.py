"""What is counted over all rows, and in each slice of them, in memory that grows with rows that have gold alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.label_shift import Answers
from labelrisk.statistics.scores import Floats


class Totals:
    """Of the rows of one slice, or of all.

    read: all; rows, labels (K,): with a label, by class; unlike: of these; reasons: for which others have none; full:
    texts with as many tokens as are read, or more; coded: the rows that have gold, and a label; with_gold: how
    many.  These are held, 4 K + 12 bytes each: their weight is tuned on them when the mean of all rows is known.
    """

    def __init__(self, classes: int) -> None:
        self.labels = np.zeros(classes, dtype=np.int64)
        self.unlike = self.full = self.read = self.with_gold = 0
        self.reasons: Counter[str] = Counter()
        self._sum = np.zeros(classes)
        self._squares = np.zeros((classes, classes))
        self._given: list[NDArray[np.float32]] = []
        self._gold: list[NDArray[np.int32]] = []
        self._drawn: list[Floats] = []

    def add(
        self,
        probabilities: Floats,
        unlike: NDArray[np.bool_],
        full: NDArray[np.bool_],
        reasons: Sequence[str | None],
        gold: NDArray[np.int64],
        drawn: Floats,
    ) -> None:
        """Count rows: tempered probabilities (N, K), nan without a label; gold codes (N,), -1 for none; drawn (N,): the
        chance with which a row with gold was drawn, nan where it is not told.
        """
        known = ~np.isnan(probabilities[:, 0])
        told = probabilities[known]
        self.read += len(probabilities)
        self.labels += np.bincount(told.argmax(axis=1), minlength=len(self.labels))
        self._sum += told.sum(axis=0)
        self._squares += told.T @ told
        self.unlike += int(unlike[known].sum())
        self.full += int(full.sum())
        self.reasons.update(reason for reason in reasons if reason is not None)
        if (coded := known & (gold >= 0)).any():
            self.with_gold += int(coded.sum())
            self._given.append(probabilities[coded].astype(np.float32))  # which they were
            self._gold.append(gold[coded].astype(np.int32))
            self._drawn.append(drawn[coded])

    @property
    def rows(self) -> int:
        """With a label."""
        return int(self.labels.sum())

    @property
    def answers(self) -> Answers:
        """What is said of these rows, of which there are two or more."""
        mean = self._sum / self.rows
        return Answers(self.rows, mean, (self._squares - self.rows * np.outer(mean, mean)) / (self.rows - 1))

    @property
    def coded(self) -> tuple[Floats, NDArray[np.int64], Floats]:
        """Probabilities (n, K), gold (n,) and chances (n,) of the rows with gold."""
        if not self._given:
            return np.empty((0, len(self.labels))), np.empty(0, np.int64), np.empty(0)
        given, gold = np.concatenate(self._given).astype(np.float64), np.concatenate(self._gold).astype(np.int64)
        return given, gold, np.concatenate(self._drawn)
