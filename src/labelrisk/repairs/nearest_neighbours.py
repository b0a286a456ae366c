"""Nearest neighbours: rows whose label is not the one of most rows that look like them.

Bahri, Jiang & Gupta (2020), *Deep k-NN for Noisy Labels*, arXiv 2004.12289: of each row, the labels of the k nearest
others are counted, and rows are kept whose label has the most.  Here on sentence vectors, in place of a network's last
layer.  A row does not count for itself, so that nothing needs to be cross-fitted and nothing is drawn.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from labelrisk.repairs.contract import Codes, Floats, Gives, NoisyRows, Repaired
from labelrisk.repairs.heads import Vectors
from labelrisk.settings.section import Section

BLOCK = 1024  # rows whose cosines with all others are held at once


class NearestNeighbours(Section):
    """Doubts are the share of a row's nearest others that have another label; its own rule picks the outvoted rows.

    neighbours: how many of them, at most; all labelled rows count where there are fewer.
    """

    kind: Literal["nearest_neighbours"] = "nearest_neighbours"  # what similar texts are called; doubts only
    neighbours: Annotated[int, Field(ge=1, le=10_000)] = 10  # how many similar texts, at most
    gives: ClassVar[frozenset[Gives]] = frozenset({"doubts"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair."""
        known = np.flatnonzero(rows.labels >= 0)
        labels = rows.labels[known]
        doubts, doubtful = np.full(len(rows.labels), np.nan), np.zeros(len(rows.labels), dtype=bool)
        nearest = min(self.neighbours, len(known) - 1)
        if nearest > 0:
            votes = neighbours_votes(rows.vectors[known], labels, len(rows.classes), nearest)
            own = votes[np.arange(len(known)), labels]
            doubts[known] = 1 - own / nearest
            doubtful[known] = votes.max(axis=1) > own  # of equals the row's own label stays
        return Repaired(doubts=doubts, doubtful=doubtful)


def neighbours_votes(vectors: Vectors, labels: Codes, classes: int, nearest: int) -> Floats:
    """How many of the `nearest` others, by cosine, have each label: (n, K).

    vectors: (n, D), of length 1; labels: (n,) class codes.
    """
    votes = np.empty((len(labels), classes))
    for start in range(0, len(labels), BLOCK):
        block = slice(start, start + BLOCK)
        cosines = vectors[block] @ vectors.T
        cosines[np.arange(len(cosines)), np.arange(len(labels))[block]] = -np.inf
        others = np.argpartition(-cosines, nearest - 1, axis=1)[:, :nearest]
        votes[block] = np.stack([(labels[others] == code).sum(axis=1) for code in range(classes)], axis=1)
    return votes
