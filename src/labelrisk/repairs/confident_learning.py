"""Confident learning: rows whose label the other rows speak against, by cleanlab.

Northcutt, Jiang & Chuang (2021), *Confident Learning: Estimating Uncertainty in Dataset Labels*, arXiv 1911.00068.
"""

from __future__ import annotations

import warnings
from typing import ClassVar, Literal

import numpy as np

from labelrisk.repairs.contract import Gives, NoisyRows, Repaired
from labelrisk.repairs.heads import cross_fitted
from labelrisk.repairs.label_errors import among
from labelrisk.settings.section import Section


class ConfidentLearning(Section):
    """Doubts are 1 - the cross-fitted probability of the label; its own rule prunes by class and by noise rate."""

    kind: Literal["confident_learning"] = "confident_learning"  # what classifiers speak against; doubts only
    gives: ClassVar[frozenset[Gives]] = frozenset({"doubts"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair."""
        from cleanlab.filter import find_label_issues

        known = np.flatnonzero(rows.labels >= 0)
        labels, classes = rows.labels[known], len(rows.classes)
        doubts, doubtful = np.full(len(rows.labels), np.nan), np.zeros(len(rows.labels), dtype=bool)
        present, codes = np.unique(labels, return_inverse=True)
        if len(present) > 1:
            by_head = cross_fitted(rows.vectors[known], labels, classes, generator)
            doubts[known] = 1 - by_head[np.arange(len(known)), labels]
            with warnings.catch_warnings():
                # that it never doubts the last row of a class is no news to the reader of a table
                warnings.simplefilter("ignore", UserWarning)
                # cleanlab wants classes 0..K-1 that all occur
                doubtful[known] = find_label_issues(codes, among(by_head, present), filter_by="both", n_jobs=1)
        return Repaired(doubts=doubts, doubtful=doubtful)
