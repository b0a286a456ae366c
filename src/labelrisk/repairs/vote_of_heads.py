"""Vote of heads: rows whose label an ensemble is sure to be another one; also where only some positives are labelled.

Dorigatti et al. (2022), *Uncertainty-aware Pseudo-label Selection for Positive-Unlabeled Learning*, arXiv 2201.13192.
From its abstract: an ensemble, calibrated, whose epistemic uncertainty decides which pseudo-labels are taken, with
care for minority classes, and any loss for positive and unlabelled rows.  Our reading: heads on halves of the rows
and parts of the channels; their mutual information is compared among the rows of one label, so that each label has an
equal share of the rows that the ensemble is sure of; most heads must vote alike; one temperature, fitted on other
rows (ensembles.py); the non-negative risk of Kiryo et al. (2017, arXiv 1703.00593) for positive and unlabelled rows
(mixtures.py).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from labelrisk.errors import LabelRiskError, nearest, shown
from labelrisk.repairs.contract import Codes, Floats, Gives, NoisyRows, Repaired
from labelrisk.repairs.ensembles import HALVES, calibrated, log_loss, mean_and_information, parts_of_channels
from labelrisk.repairs.heads import Rows, Vectors, cross_fitted, out_of_fold
from labelrisk.repairs.mixtures import known_share, mixture_head, mixture_probabilities, mixture_risk
from labelrisk.settings.section import Section, Share

NON_NEGATIVE = 1.0  # penalty on negative risks
Part = Annotated[float, Field(gt=0, le=1)]


class VoteOfHeads(Section):
    """Doubts are the surprise of the label less what the heads don't agree on: -log(mean p of the label) - MI, in nats.

    So a row is doubtful when the heads agree that its label is improbable, and less so when they disagree with each
    other.  Its own rule: a share `agree` of the heads votes for the same other label, and their mutual information is
    among the lowest share `sure` of the rows with the same label.  Labels are the votes where that rule picks.

    heads: of the ensemble, each cross-fitted on two halves; channels: share of the vectors' numbers that each sees.
    positive: a label that is right where it stands; all other labels then mean unlabelled, the rule picks the rows that
    are positive too, and rows labelled so have the lowest doubt.  hidden: share of positives among the unlabelled,
    estimated where it is not given.
    """

    kind: Literal["vote_of_heads"] = "vote_of_heads"  # what most of an ensemble would say
    heads: Annotated[int, Field(ge=2, le=1000)] = 20  # number of classifiers in the ensemble
    channels: Part = 0.5  # share of the vectors' channels that each head sees
    agree: Part = 0.8  # share of heads that must vote for one other label
    sure: Part = 0.75  # share of rows whose heads agree best
    positive: str | None = None  # a label that is right where it stands
    hidden: Share | None = None  # share of positives among the unlabelled; null: it is estimated
    gives: ClassVar[frozenset[Gives]] = frozenset({"labels", "doubts"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair.  Raises LabelRiskError when `positive` is not a label."""
        if self.positive is not None and self.positive not in rows.classes:
            raise LabelRiskError(
                f"the repair 'vote_of_heads' has 'positive: {shown(self.positive)}', which is not a label of the "
                f"codebook; {nearest(self.positive, rows.classes)}"
            )
        known = np.flatnonzero(rows.labels >= 0)
        given, labels = rows.labels[known], rows.labels.copy()
        doubts, doubtful = np.full(len(labels), np.nan), np.zeros(len(labels), dtype=bool)
        of = np.arange(len(rows.classes))
        if self.positive is not None:
            of = (of != rows.classes.index(self.positive)).astype(np.int64)  # 0 is positive, 1 unlabelled
        codes = of[given]
        notes: dict[str, float] = {}
        if np.sum(np.bincount(codes) >= HALVES) > 1:  # classes of which each half can have a row
            heads = self._heads(rows.vectors[known], codes, int(of.max()) + 1, generator, notes)
            mean, information = mean_and_information(heads)
            votes = mean.argmax(axis=1)
            found = -np.log(mean[np.arange(len(codes)), codes]) - information
            picked = (votes != codes) & ((heads.argmax(axis=2) == votes).mean(axis=0) >= self.agree)
            picked &= information <= self._limits(information, codes)
            if self.positive is not None:
                picked &= codes == 1
                votes[:] = rows.classes.index(self.positive)
                found[codes == 0] = found.min()
            doubts[known], doubtful[known], labels[known] = found, picked, np.where(picked, votes, given)
            notes["mean_mutual_information"] = float(information.mean())
        return Repaired(labels=labels, doubts=doubts, doubtful=doubtful, notes=notes)

    def _heads(
        self, vectors: Vectors, codes: Codes, classes: int, generator: np.random.Generator, notes: dict[str, float]
    ) -> Floats:
        """What the heads say of the rows, (heads, n, K), calibrated; it notes the temperature and the hidden share."""
        parts = parts_of_channels(vectors, self.channels, self.heads, generator)
        if self.positive is None:
            members = np.stack([cross_fitted(part, codes, classes, generator, folds=HALVES) for part in parts])
            heads, notes["temperature"] = calibrated(members, codes, log_loss, generator)
            return heads
        hidden = self.hidden or hidden_share(vectors, codes, generator)
        members = np.stack([unlabelled_judged(part, codes, hidden, generator) for part in parts])
        heads, notes["temperature"] = calibrated(
            members, codes, lambda p, of: unlabelled_loss(p, of, hidden), generator
        )
        notes["hidden_share"] = hidden
        return heads

    def _limits(self, information: Floats, codes: Codes) -> Floats:
        """For each row (n,), the mutual information below which the share `sure` of its label's rows lies."""
        present, at = np.unique(codes, return_inverse=True)
        return np.array([np.quantile(information[codes == one], self.sure) for one in present])[at]


def unlabelled_loss(probabilities: Floats, codes: Codes, hidden: float) -> float:
    """The non-negative risk of positive (0) and unlabelled (1) rows."""
    losses, positive = -np.log(probabilities), codes == 0
    return mixture_risk(losses[positive, 0], losses[positive, 1], losses[~positive, 1], hidden, NON_NEGATIVE)


def unlabelled_judged(vectors: Vectors, codes: Codes, hidden: float, generator: np.random.Generator) -> Floats:
    """Probabilities of positive and negative, (n, 2), by cross-fitted heads of positive (0) and unlabelled (1) rows."""

    def judge(rest: Rows, held: Rows) -> Floats:
        known, mixture = vectors[rest & (codes == 0)], vectors[rest & (codes == 1)]
        head = mixture_head(known, np.ones((len(known), 1)), mixture, hidden, NON_NEGATIVE)
        return mixture_probabilities(head, vectors[held])

    return out_of_fold(judge, codes, 2, generator, HALVES)


def hidden_share(vectors: Vectors, codes: Codes, generator: np.random.Generator) -> float:
    """The share of positives among the unlabelled rows (1), which look like the labelled ones (0)."""
    scores = cross_fitted(vectors, codes, 2, generator)[:, 0]
    return known_share(scores[codes == 0], scores[codes == 1])
