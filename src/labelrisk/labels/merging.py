"""Several coders' votes merged into one label per row, with how sure that is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.labels.answer import Answer
from labelrisk.settings.merge import Merge

Codes = NDArray[np.int64]
Distributions = NDArray[np.float64]
METHODS: dict[Merge, str] = {"majority": "votes", "dawid_skene": "dawid_skene"}  # how the probabilities were made
ITERATIONS, TOLERANCE = 100, 1e-5  # of the EM; crowd-kit's defaults, written down so that a new version keeps them


@dataclass(frozen=True, slots=True)
class Votes:
    """One entry per vote: positions of the row and the coder, and the code of the label; arrays of one length."""

    row: Codes
    coder: Codes
    label: Codes


def votes_of(coders: Iterable[tuple[Codes, Codes]]) -> Votes:
    """Votes of coders in their order, each as (rows, codes); a row or code of -1 is no vote."""
    rows, numbers, codes = [], [], []
    for number, (row, code) in enumerate(coders):
        counts = (row >= 0) & (code >= 0)
        rows.append(row[counts])
        codes.append(code[counts])
        numbers.append(np.full(len(rows[-1]), number, dtype=np.int64))
    return Votes(np.concatenate(rows), np.concatenate(numbers), np.concatenate(codes))


def vote_counts(votes: Votes, rows: int, classes: int) -> Codes:
    """How many votes each class has on each row: (rows, classes)."""
    cells = np.bincount(votes.row * classes + votes.label, minlength=rows * classes)
    return cells.reshape(rows, classes).astype(np.int64)


def merged(merge: Merge, votes: Votes, counts: Codes) -> Distributions:
    """Class probabilities of each row, (rows, classes); those of a row without a vote mean nothing."""
    return smoothed(counts) if merge == "majority" else dawid_skene(votes, *counts.shape)


def smoothed(counts: Codes) -> Distributions:
    """Laplace: p = (n + 1) / (sum n + K), so that five equal votes are no certainty; (rows, classes)."""
    probabilities: Distributions = (counts + 1) / (counts.sum(axis=1, keepdims=True) + counts.shape[1])
    return probabilities


def dawid_skene(votes: Votes, rows: int, classes: int) -> Distributions:
    """Posterior class probabilities, (rows, classes), of the model in which coders err independently of each other,
    each by a confusion matrix of its own: p(z | votes) ~ p(z) prod_v p(vote_v | coder_v, z).

    Prior and confusion matrices are estimated by EM without gold, from the majority (Dawid & Skene 1979, Applied
    Statistics 28(1)).  A class without a vote has probability 0; a row without a vote has zeros.
    """
    posteriors = np.zeros((rows, classes))
    if not len(votes.row):
        return posteriors
    # two seconds, for the whole of crowdkit comes along: only who asks for it waits
    from crowdkit.aggregation.classification.dawid_skene import DawidSkene

    with warnings.catch_warnings():  # crowd-kit 1.4 calls pandas in ways that pandas 4 will refuse
        warnings.simplefilter("ignore", DeprecationWarning)
        model = DawidSkene(n_iter=ITERATIONS, tol=TOLERANCE)
        found = model.fit_predict_proba(pd.DataFrame({"task": votes.row, "worker": votes.coder, "label": votes.label}))
    values = found.to_numpy()
    task, label = found.index.to_numpy(np.int64), found.columns.to_numpy(np.int64)  # in order of appearance
    posteriors[np.ix_(task, label)] = values / values.sum(axis=1, keepdims=True)  # it clips small ones, and sums to > 1
    return posteriors


def merged_answers(merge: Merge, votes: Votes, rows: int, labels: Sequence[str]) -> Iterator[Answer]:
    """Answers in row order: the most probable class, of equals the first of the codebook, or `missing` without a
    vote."""
    counts = vote_counts(votes, rows, len(labels))
    probabilities = merged(merge, votes, counts)
    best = probabilities.argmax(axis=1)
    for code, distribution, count in zip(best, probabilities, counts, strict=True):
        if count.any():
            values = tuple(distribution.tolist())
            yield Answer("ok", labels[code], METHODS[merge], values, votes=tuple(count.tolist()))
        else:
            yield Answer("missing")
