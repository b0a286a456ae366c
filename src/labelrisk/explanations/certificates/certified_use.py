"""What is certified of each way of answering: its error, and where it may answer so that few are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from labelrisk.comparison.slices import Slice
from labelrisk.explanations.certificates.certified_answers import Answers
from labelrisk.statistics.certificates import rows_at_rate, upper_bound
from labelrisk.statistics.selective_use import SliceRisk, Tested, certify, family_of, slice_risks
from labelrisk.statistics.shares import Share, wilson


class Bound(NamedTuple):
    """Errors on the test rows, the bound of the true error, and that which holds for all of a family together."""

    errors: int
    error: float
    bound: float
    together: float


class OnSlice(NamedTuple):
    """Selective use on one slice: the share of its rows that is answered, and the risk among the answers."""

    of: Slice
    answered: Share
    risk: SliceRisk
    decision: str  # held, broken, not shown


class Use(NamedTuple):
    """Selective use of one way of answering.

    answered: the share of rows at the chosen threshold, None where none is certified.  together: that share where all
    ways of answering are certified together.  first: the place of the threshold where a certificate had to start, or
    where each has a share of the level, that of the smallest p.  needed: test rows with which it
    would be certified if as many of its answers are wrong as here; None where that is too many, or takes more rows than
    anybody has.
    """

    tested: Tested
    first: int
    answered: Share | None
    together: float | None
    needed: int | None
    slices: Sequence[OnSlice]

    @property
    def error(self) -> float | None:
        """The share of errors among the answers at the chosen threshold."""
        at = self.tested.chosen
        return None if at is None else float(self.tested.errors[at] / self.tested.answered[at])


class Certificate(NamedTuple):
    """All that is certified of one way of answering; students: each one's bound, and together over the seeds.

    use: None without probabilities of test rows.
    """

    answers: Answers
    vote: Bound
    students: Sequence[Bound]
    use: Use | None

    @property
    def worst(self) -> float:
        """The bound of the error of the worst of the students."""
        return max(one.together for one in self.students)


def new_seed_confidence(seeds: int, confidence: float) -> float:
    """How sure it is that a student with another seed keeps to the bound of the worst of these.

    Its true error is the largest of seeds + 1 with a chance of 1 / (seeds + 1), as seeds are exchangeable; and the
    bound of the worst is broken with a chance of 1 - confidence.
    """
    return seeds / (seeds + 1) - (1 - confidence)


def certificates_of(
    every: Sequence[Answers], slices: Sequence[Slice], risk: float, confidence: float
) -> list[Certificate]:
    """In the order of `every`; the family of what holds together is all of them."""
    return [
        Certificate(
            one,
            _bound(one.wrong, confidence, len(every)),
            [_bound(wrong, confidence, len(one.students_wrong)) for wrong in one.students_wrong]
            if one.students_wrong is not None
            else [],
            _use(one, slices, risk, confidence, len(every)),
        )
        for one in every
    ]


def _bound(wrong: np.ndarray, confidence: float, family: int) -> Bound:
    errors, rows = int(wrong.sum()), len(wrong)
    single, together = (float(upper_bound(errors, rows, 1 - (1 - confidence) / of)) for of in (1, family))
    return Bound(errors, errors / rows, single, together)


def _use(one: Answers, slices: Sequence[Slice], risk: float, confidence: float, family: int) -> Use | None:
    if one.sure is None or not np.isfinite(one.sure).any():
        return None
    rows, level = len(one.wrong), 1 - confidence
    plan = family_of(one.known, one.known_wrong, rows, risk, level)
    found = certify(one.sure, one.wrong, plan, risk, level)
    all_together = certify(one.sure, one.wrong, plan, risk, level / family)
    first = int(np.argmin(found.p)) if plan.weights.max() < 1 else 0
    return Use(
        tested=found,
        first=first,
        answered=None if found.chosen is None else wilson(int(found.answered[found.chosen]), rows, confidence),
        together=None if all_together.chosen is None else float(all_together.answered[all_together.chosen] / rows),
        needed=_needed(found, first, rows, risk, level * float(plan.weights.max())),
        slices=[] if found.chosen is None else _on_slices(one, slices, found, risk, confidence),
    )


def _needed(found: Tested, first: int, rows: int, risk: float, level: float) -> int | None:
    answered = int(found.answered[first])
    enough = rows_at_rate(found.errors[first] / answered, risk, level) if answered else None
    return None if enough is None else int(np.ceil(rows * enough / answered))


def _on_slices(one: Answers, slices: Sequence[Slice], found: Tested, risk: float, confidence: float) -> list[OnSlice]:
    assert one.sure is not None
    risks = slice_risks(one.sure, one.wrong, [of.rows for of in slices], found, 1 - confidence)
    return [
        OnSlice(of, wilson(on.answered, len(of.rows), confidence), on, _decision(on, risk))
        for of, on in zip(slices, risks, strict=True)
    ]


def _decision(on: SliceRisk, risk: float) -> str:
    if on.high <= risk:
        return "held"
    return "broken" if on.low > risk else "not shown"
