"""Candidate labels with an augmented class: learning from sets of plausible labels, where "none of these" is possible.

Hu, Shu, Li, Xiang & He (2024), *An Unbiased Risk Estimator for Partial Label Learning with Augmented Classes*, arXiv
2409.19600.  From its abstract: the unbiased risk, which learns the augmented class from the difference between
unlabelled rows and the known classes, for any loss on sets of labels, and the penalty on a risk that becomes
negative.  Our reading: the loss on a set (the labels' log losses, weighted by how probable each label of the set is,
again after each round, as in Feng et al. 2020, arXiv 2007.08929), sets from the annotator's probabilities, the
mixture (all rows: labelled or not), and the estimate of how many unlabelled rows are of known classes (mixtures.py).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labelrisk.errors import LabelRiskError
from labelrisk.repairs.contract import Floats, Gives, NoisyRows, Repaired
from labelrisk.repairs.heads import Vectors, cross_fitted, folds_of
from labelrisk.repairs.mixtures import known_share, mixture_head, mixture_probabilities
from labelrisk.settings.section import Section
from labelrisk.statistics.plausible_sets import smallest_sets

Bools = NDArray[np.bool_]
LEAST = 1e-6  # of a probability that is multiplied


class AugmentedCandidates(Section):
    """Labels are the most probable one of each row's set, -1 where "none of these" is more probable than any class.

    mass, most: a row's set is the smallest one with this much of the annotator's probability, and of at most so many
    labels; its label is always in it, and alone where the annotator gave no probabilities for the row.  known: share of
    the unlabelled rows that belong to the classes, estimated where it is not given.  penalty: on negative risks
    (mixtures.mixture_risk).  rounds: how often sets are weighted.  Candidates are empty where labels are -1.
    """

    kind: Literal["augmented_candidates"] = "augmented_candidates"  # the likeliest label of each row's set
    mass: Annotated[float, Field(gt=0, le=1)] = 0.9  # of the annotator's probability that a set holds
    most: Annotated[int, Field(ge=1)] | None = None  # labels of a set, at most
    known: Annotated[float, Field(ge=0, le=1)] | None = None  # share of unlabelled rows that are of the classes
    penalty: Annotated[float, Field(ge=0)] = 1.0  # on negative risks
    rounds: Annotated[int, Field(ge=1, le=20)] = 3  # of weighting sets
    gives: ClassVar[frozenset[Gives]] = frozenset({"labels", "candidates"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair.  Raises LabelRiskError where no labelled row has probabilities."""
        labelled = rows.labels >= 0
        given = given_probabilities(rows)
        sets = smallest_sets(given, self.mass, self.most)
        sets[labelled, rows.labels[labelled]] = True
        fold = folds_of(rows.labels, generator)
        found, shares = np.zeros((len(fold), len(rows.classes) + 1)), []
        for one in np.unique(fold[labelled]):
            taught = labelled & (fold != one)
            if not taught.any():
                continue
            unlabelled = ~labelled & (fold != one)
            shares.append(self._share(rows.vectors[taught], rows.vectors[unlabelled], generator))
            head = self._head(given[taught], sets[taught], rows.vectors, taught, unlabelled, shares[-1])
            found[fold == one] = mixture_probabilities(head, rows.vectors[fold == one])
        posterior = _weighted(given, sets, found[:, :-1])
        none = found[:, -1] > found[:, :-1].max(axis=1)
        left = ~labelled | none
        candidates = smallest_sets(posterior, self.mass, self.most) & ~left[:, None]
        return Repaired(
            labels=np.where(left, -1, posterior.argmax(axis=1)),
            candidates=candidates,
            notes={
                "known_share_of_unlabelled": float(np.mean(shares)) if shares else 1.0,
                "none_of_labelled": _share_of(none[labelled]),
                "none_of_unlabelled": _share_of(none[~labelled]),
                "mean_set_before": float(sets[labelled].sum() / max(1, labelled.sum())),
                "mean_set_after": float(candidates.sum() / max(1, (~left).sum())),
            },
        )

    def _share(self, labelled: Vectors, unlabelled: Vectors, generator: np.random.Generator) -> float:
        """Share of the unlabelled rows that belong to the classes; estimated: that look like the labelled ones."""
        if self.known is not None or not len(unlabelled):
            return 1.0 if self.known is None else self.known
        is_labelled = np.repeat([1, 0], [len(labelled), len(unlabelled)])
        scores = cross_fitted(np.concatenate((labelled, unlabelled)), is_labelled, 2, generator)[:, 1]
        return known_share(scores[is_labelled == 1], scores[is_labelled == 0])

    def _head(
        self, given: Floats, sets: Bools, vectors: Vectors, taught: Bools, unlabelled: Bools, share: float
    ) -> Floats:
        """The head of K + 1 classes that these labelled (given and sets are theirs) and unlabelled rows teach."""
        known, mixture = vectors[taught], vectors[taught | unlabelled]
        of_mixture = (taught.sum() + share * unlabelled.sum()) / len(mixture)
        targets = _weighted(given, sets, np.ones(sets.shape))
        head = mixture_head(known, targets, mixture, of_mixture, self.penalty)
        for _ in range(self.rounds - 1):
            targets = _weighted(given, sets, mixture_probabilities(head, known)[:, :-1])
            head = mixture_head(known, targets, mixture, of_mixture, self.penalty, head)
        return head


def given_probabilities(rows: NoisyRows) -> Floats:
    """The annotator's, (N, K); where a row has none, all of it is its label's; uniform without a label.

    Raises LabelRiskError where no labelled row has any.
    """
    labelled = rows.labels >= 0
    found = np.full((len(rows.labels), len(rows.classes)), 1 / len(rows.classes))
    found[labelled] = np.eye(len(rows.classes))[rows.labels[labelled]]
    has = labelled.copy()
    if rows.probabilities is not None:
        has &= np.isfinite(rows.probabilities).all(axis=1)
    if rows.probabilities is None or not has.any():
        raise LabelRiskError(
            "the annotator gave no class probabilities, from which the repair 'augmented_candidates' takes its sets of "
            "plausible labels; give the annotator a confidence method, or use another repair"
        )
    found[has] = rows.probabilities[has]
    return found


def _weighted(given: Floats, sets: Bools, by_head: Floats) -> Floats:
    """How probable each label of a set is, (N, K), rows sum to 1: by annotator and head, taken as independent."""
    product = np.where(sets, np.maximum(given, LEAST) * np.maximum(by_head, LEAST), 0.0)
    weights: Floats = product / product.sum(axis=1, keepdims=True)
    return weights


def _share_of(rows: Bools) -> float:
    return float(rows.mean()) if len(rows) else 0.0
