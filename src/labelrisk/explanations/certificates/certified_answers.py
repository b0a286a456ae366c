"""The ways of answering that are certified: each source's vote, and each annotator used directly; and their slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.slices import Slice, slices_of
from labelrisk.explanations.evidence import Evidence, Given
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.votes import mean_probabilities


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers(ReadOnlyArrays):
    """The answers of one system to the test rows, N of them with gold.

    wrong: (N,), also where there is no label.  sure: (N,), the probability of the answer, nan for a row without; None
    where the system gives no probabilities.  known, known_wrong: (V,), the same of validation rows.  probabilities:
    (N, K), of votes alone; students_wrong: (R, N), of these.
    """

    name: str
    kind: Literal["vote", "annotator"]
    wrong: NDArray[np.bool_]
    sure: Floats | None
    known: Floats
    known_wrong: NDArray[np.bool_]
    probabilities: Floats | None = None
    students_wrong: NDArray[np.bool_] | None = None

    @property
    def called(self) -> str:
        """In a sentence."""
        return (
            f"the vote of {self.name}'s students"
            if self.kind == "vote"
            else f"the annotator {self.name} (used directly)"
        )


def answers_of(evidence: Evidence) -> list[Answers]:
    """The votes in the order of the sources, then the annotators that gave test rows any labels."""
    study, gold, known_gold = evidence.study, evidence.study.test.gold, evidence.study.validation.gold
    found = []
    for name, students in study.students.items():
        mean, known = mean_probabilities(students.probabilities), mean_probabilities(students.validation)
        one = Answers(
            name=name,
            kind="vote",
            wrong=mean.argmax(axis=1) != gold,
            sure=mean.max(axis=1),
            known=known.max(axis=1),  # nan for rows that any of the students has no label for
            known_wrong=known.argmax(axis=1) != known_gold,
            probabilities=mean,
            students_wrong=students.predictions != gold,
        )
        found.append(one)
    for name, labels in study.annotators_used_directly.items():
        elsewhere = evidence.given["validation"].get(name, Given(np.full(len(known_gold), NO_LABEL), None))
        one = Answers(
            name=name,
            kind="annotator",
            wrong=labels.codes != gold,
            sure=_sure(evidence.given["test"][name]),
            known=np.full(len(known_gold), np.nan) if (sure := _sure(elsewhere)) is None else sure,
            known_wrong=elsewhere.codes != known_gold,
        )
        found.append(one)
    return found


def _sure(given: Given) -> Floats | None:
    """The probability of each label, nan for a row without one, or without probabilities."""
    if given.probabilities is None:
        return None
    of_label = given.probabilities[np.arange(len(given.codes)), given.codes]
    return np.where(given.codes == NO_LABEL, np.nan, of_label)


def slices_large_enough(evidence: Evidence) -> list[Slice]:
    """The slices of all columns that have numbers of their own."""
    least = evidence.study.settings.evaluate.slice_rows
    columns: dict[str, Any] = dict(evidence.rows["test"].columns)
    every = [one for column, values in columns.items() for one in slices_of(column, values, least)]
    return [one for one in every if len(one.rows) >= least]
