"""Kinds of doubt about labels.  A new one that needs no vectors is a function here and its name in DOUBTS; one that
does is a repair that gives doubts (`labelrisk.repairs`), and is found there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelrisk.repairs.contract import Codes, Floats, NoisyRows
from labelrisk.repairs.kinds import REPAIRS
from labelrisk.statistics.class_codes import NO_LABEL

Vectors = Callable[[], NDArray[np.floating]]


class Doubts(NamedTuple):
    """values: (N,), higher is more doubtful, NaN for a row that can't be ranked; picked: (N,), those that the kind's
    own rule takes, None for a kind without a rule; notes: what the kind measured about itself.
    """

    values: Floats
    picked: NDArray[np.bool_] | None = None
    notes: Mapping[str, float] = {}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the train rows, in their order.

    labels: codes as they stand (N,), -1 for none; answers: the annotator's, with the columns that the kind of doubt
    needs (`entropy`, `probabilities`, `votes`); others: codes of the annotators that may disagree; vectors: reads the
    sentence vectors.
    """

    labels: Codes
    answers: pd.DataFrame
    classes: tuple[str, ...]
    others: Sequence[Codes] = ()
    vectors: Vectors | None = None


def doubts_of(by: str, evidence: Evidence, generator: np.random.Generator) -> Doubts:
    """The doubts of one kind.  generator: for the repairs, which cross-fit on random folds."""
    return DOUBTS[by](evidence) if by in DOUBTS else _by_repair(by, evidence, generator)


def entropy(evidence: Evidence) -> Doubts:
    """H = -sum p log p of the annotator's class probabilities, in nats (paper A)."""
    return Doubts(evidence.answers["entropy"].to_numpy(dtype=float, na_value=np.nan))


def margin(evidence: Evidence) -> Doubts:
    """1 - (p1 - p2): how little the most probable class leads the next one."""
    ranked = np.sort(matrix(evidence.answers["probabilities"], len(evidence.classes)), axis=1)
    return Doubts(1 - (ranked[:, -1] - ranked[:, -2]))


def flips(evidence: Evidence) -> Doubts:
    """Share of votes that are not for the most frequent label; its rule: every row whose votes differ (paper A)."""
    votes = matrix(evidence.answers["votes"], len(evidence.classes))
    with np.errstate(invalid="ignore"):
        values = 1 - votes.max(axis=1) / votes.sum(axis=1)
    return Doubts(values, values > 0)


def disagreement(evidence: Evidence) -> Doubts:
    """Share of the labels of several annotators that are not the most frequent one; its rule: rows where they differ.

    A row that fewer than two of them labelled is not ranked.
    """
    given = np.stack(evidence.others, axis=1)
    counts = np.stack([(given == code).sum(axis=1) for code in range(len(evidence.classes))], axis=1)
    total = counts.sum(axis=1)
    values = np.where(total > 1, 1 - counts.max(axis=1) / np.maximum(total, 1), np.nan)
    return Doubts(values, values > 0)


def chance(evidence: Evidence) -> Doubts:
    """None: rows are taken at random, from those with an entropy where there are any, else from all with a label."""
    known = evidence.answers["entropy"].notna().to_numpy() & (evidence.labels != NO_LABEL)
    candidates = known if known.any() else evidence.labels != NO_LABEL
    return Doubts(np.where(candidates, 0.0, np.nan))


def matrix(lists: pd.Series, width: int) -> Floats:
    """Lists of numbers as rows, (N, width); NaN where there is none."""
    array = pa.array(lists, from_pandas=True)  # of many rows they are Arrow's from the file on, and none is Python's
    found = np.full((len(array), width), np.nan)
    present = array.is_valid().to_numpy(zero_copy_only=False)
    if present.any():
        values = array.flatten()
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        found[present] = values.to_numpy(zero_copy_only=False).reshape(-1, width)
    return found


RANDOM = "random"
DOUBTS: Mapping[str, Callable[[Evidence], Doubts]] = {
    "entropy": entropy,
    "margin": margin,
    "flips": flips,
    "disagreement": disagreement,
    RANDOM: chance,
}
BY_REPAIR = {repair.model_fields["kind"].default: repair for repair in REPAIRS if "doubts" in repair.gives}
WITH_RULE = ("flips", "disagreement", *BY_REPAIR)  # which take rows by a rule of their own where no number is given
KINDS = (*DOUBTS, *BY_REPAIR)


def _by_repair(by: str, evidence: Evidence, generator: np.random.Generator) -> Doubts:
    found = BY_REPAIR[by]().repaired(noisy_rows(evidence), generator)
    assert found.doubts is not None
    return Doubts(found.doubts, found.doubtful, found.notes)


def noisy_rows(evidence: Evidence) -> NoisyRows:
    """The rows as repairs see them."""
    assert evidence.vectors is not None
    given = evidence.answers["probabilities"]
    probabilities = matrix(given, len(evidence.classes)) if given.notna().any() else None
    return NoisyRows(
        vectors=evidence.vectors(), labels=evidence.labels, classes=evidence.classes, probabilities=probabilities
    )
