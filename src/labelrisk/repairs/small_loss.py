"""Small loss: two learners choose for each other the rows they learn from, by the loss of rows they have not seen.

Han et al. (2018), *Co-teaching: Robust Training of Deep Neural Networks with Extremely Noisy Labels*, arXiv
1804.06872: two learners, small losses chosen for the peer, and a share of forgotten rows that grows to the noise rate
over the rounds.  Dang et al. (2024), *Noisy Correspondence Learning with Self-Reinforcing Errors Mitigation*, arXiv
2312.16478; from its abstract: a learner that trusts its own similarities reinforces its own errors.  Our reading of
both for heads on vectors: the learners have disjoint halves, so that a loss is never one of a row that was learned;
no class loses more than half of its rows; and the confirmation of own errors is measured, against learners that
choose their own rows.  Energy and complementary learning, which belong to pairs of images and texts in a batch, are
left out.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labelrisk.repairs.contract import Codes, Floats, Gives, NoisyRows, Repaired
from labelrisk.repairs.heads import Vectors, cross_fitted, folds_of, head_probabilities
from labelrisk.repairs.label_errors import among
from labelrisk.settings.section import Section, Share

Bools = NDArray[np.bool_]
LEAST = 1e-6  # probability; a loss is at most 13.8 nats
MOST = 0.5  # of the rows can be forgotten


class SmallLoss(Section):
    """Doubts are the mean loss by learners that have not seen the row, in nats; weights the share of splits keeping it.

    rounds: of choosing, in which the forgotten share grows evenly; splits: into halves, over which all is averaged;
    forget: share of rows to forget; where it is not given, confident learning's estimate of the noise rate, at most
    MOST.  Its own rule: rows that most of the splits forget.
    """

    kind: Literal["small_loss"] = "small_loss"  # weights by what learners forget
    rounds: Annotated[int, Field(ge=1, le=50)] = 4  # in which the forgotten share grows
    splits: Annotated[int, Field(ge=1, le=50)] = 3  # into halves, to average over
    forget: Share | None = None  # share of rows to forget; null: it is estimated
    gives: ClassVar[frozenset[Gives]] = frozenset({"doubts", "weights"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair."""
        known = np.flatnonzero(rows.labels >= 0)
        vectors, labels, classes = rows.vectors[known], rows.labels[known], len(rows.classes)
        doubts, weights = np.full(len(rows.labels), np.nan), np.where(rows.labels >= 0, 1.0, 0.0)
        doubtful = np.zeros(len(rows.labels), dtype=bool)
        if len(np.unique(labels)) < 2:  # no loss tells anything
            return Repaired(doubts=doubts, doubtful=doubtful, weights=weights)
        rate = self.forget or min(MOST, noise_rate(cross_fitted(vectors, labels, classes, generator), labels))
        rates = rate * np.arange(1, self.rounds + 1) / self.rounds
        halves = [folds_of(labels, generator, 2) for _ in range(self.splits)]
        pairs = [chosen(vectors, labels, classes, half, rates, by_peer=True) for half in halves]
        kept = np.mean([pair.kept for pair in pairs], axis=0)
        doubts[known] = np.mean([pair.losses for pair in pairs], axis=0)
        doubtful[known] = kept < 0.5
        weights[known] = kept / kept.mean()
        pair, alone = pairs[0], chosen(vectors, labels, classes, halves[0], rates, by_peer=False)
        notes = {
            "forgotten": rate,
            "agreement": float(np.mean([one.agreement for one in pairs])),
            "kept_alone_but_not_by_peer": float((alone.kept & ~pair.kept).mean()),
            "confirmed_alone": alone.confirmed,
            "confirmed_by_peer": pair.confirmed,
        }
        return Repaired(doubts=doubts, doubtful=doubtful, weights=weights, notes=notes)


class Chosen(NamedTuple):
    """What two learners chose.  kept: (n,), in the last round; losses: (n,), by the learner that chooses among them;
    agreement: share of rows to which both give the same label; confirmed: share of the rows forgotten in the end that
    the first losses would have forgotten too, 1 where nothing was.
    """

    kept: Bools
    losses: Floats
    agreement: float
    confirmed: float


def chosen(vectors: Vectors, labels: Codes, classes: int, half: Codes, rates: Floats, by_peer: bool) -> Chosen:
    """Two learners, each of one half (n,) of the rows, in as many rounds as there are rates, and once more at the end.

    by_peer: each half's rows are chosen by the other half's learner, which has not seen them; otherwise by their own.
    """
    kept, first = np.ones(len(labels), dtype=bool), np.ones(len(labels), dtype=bool)
    for turn, rate in enumerate((*rates, rates[-1])):
        taught = [kept & (half == one) for one in range(2)]
        by_half = np.stack([head_probabilities(vectors[at], labels[at], classes, vectors) for at in taught])
        judge = 1 - half if by_peer else half
        rows = np.arange(len(labels))
        losses = -np.log(np.maximum(by_half[judge, rows, labels], LEAST))
        kept = small(losses, labels, rate)
        if turn == 0:
            first = small(losses, labels, rates[-1])
    guesses = by_half.argmax(axis=2)
    confirmed = float((~kept & ~first).sum() / (~kept).sum()) if not kept.all() else 1.0
    return Chosen(kept, losses, float((guesses[0] == guesses[1]).mean()), confirmed)


def small(losses: Floats, labels: Codes, rate: float) -> Bools:
    """All rows but this share, those with the largest losses; of each class at least half."""
    kept = losses <= np.quantile(losses, 1 - rate)
    for code in np.unique(labels):
        members = np.flatnonzero(labels == code)
        kept[members[losses[members] <= np.median(losses[members])]] = True
    return kept


def noise_rate(by_head: Floats, labels: Codes) -> float:
    """The share of wrong labels, from cross-fitted probabilities: the count of Northcutt et al. (2021), by cleanlab."""
    from cleanlab.count import num_label_issues

    present, codes = np.unique(labels, return_inverse=True)  # cleanlab wants classes 0..K-1 that all occur
    return float(num_label_issues(codes, among(by_head, present))) / len(labels)
