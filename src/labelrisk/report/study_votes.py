"""What the students of each source say of the test rows, all seeds together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.study import Students, Study


class Votes(NamedTuple):
    """Of one source on the test rows: the label of most seeds (N,), how many say it (N,), the entropy of the seeds'
    labels in nats (N,), and the number of seeds.
    """

    labels: NDArray[np.int64]
    agreeing: NDArray[np.int64]
    entropy: NDArray[np.float64]
    seeds: int


def seed_votes(study: Study) -> dict[str, Votes]:
    """The votes of all sources, by name."""
    return {source: _votes(students) for source, students in study.students.items()}


def _votes(students: Students) -> Votes:
    """Hard votes; of equals the label with the higher mean probability, then the first."""
    seeds, rows, classes = students.probabilities.shape
    counts = np.zeros((rows, classes), dtype=np.int64)
    for predicted in students.predictions:
        counts[np.arange(rows), predicted] += 1
    labels = (counts + students.probabilities.mean(axis=0, dtype=np.float64) / 2).argmax(axis=1)
    shares = counts / seeds
    entropy = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), 0).sum(axis=1)
    return Votes(labels, counts[np.arange(rows), labels], entropy, seeds)
