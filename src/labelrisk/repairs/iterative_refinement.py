"""Iterative label refinement: labels give way to what heads say that learned from sets with unequal class shares.

Asano, Kozuno & Baba (NeurIPS 2025), *Self Iterative Label Refinement via Robust Unlabeled Learning*, arXiv 2502.12565.
From its abstract and the formulas of its published code: rows that the annotator calls positive, and the others, are
two unlabelled sets with different shares of positives; a classifier is trained on the UU risk with the leaky
correction; it labels all rows again; and so on.  Our reading, for want of the full text: the logistic loss for their
sigmoid loss (its minimiser is a probability); one class against the rest for their two classes; shares from the
confident joint of the labels with out-of-fold probabilities, where their code has them from gold; a round is taken only
if its heads agree with their labels out of fold at least as often as those of the round before; and the row's own label
keeps the weight that its estimated reliability gives it, unless `own_label` is ignored.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from labelrisk.repairs.contract import Codes, Floats, Gives, NoisyRows, Repaired
from labelrisk.repairs.heads import Rows, Vectors, cross_fitted, head_probabilities, out_of_fold
from labelrisk.repairs.label_errors import joint_of, with_own_label
from labelrisk.repairs.unlabelled_sets import unlabelled_head
from labelrisk.settings.section import Count, Section

INNER = 3  # folds inside of a fold: rows are relabelled by heads that saw neither them nor the rows judged in the end


class IterativeRefinement(Section):
    """Labels are the most probable classes; doubts are 1 - the probability of the label by heads that never saw it.

    rounds: of relabelling, at most; it stops earlier when no label changes.  penalty: larger is weaker.
    """

    kind: Literal["iterative_refinement"] = "iterative_refinement"  # relabelled until nothing changes
    rounds: Count = 3  # of relabelling, at most
    penalty: Annotated[float, Field(gt=0)] = 1.0  # of the heads; larger is weaker
    own_label: Literal["weighed", "ignored"] = "weighed"  # whether a row's own label counts
    gives: ClassVar[frozenset[Gives]] = frozenset({"labels", "doubts"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair; notes tell the mean number of rounds that were taken, and the estimated share of wrong labels."""
        known = np.flatnonzero(rows.labels >= 0)
        vectors, labels, classes = rows.vectors[known], rows.labels[known], len(rows.classes)
        chosen, taken, wrong = labels.copy(), [], []

        def judge(rest: Rows, held: Rows) -> Floats:
            found, joint, rounds = self._judged(vectors[rest], labels[rest], vectors[held], classes, generator)
            weighed = found if self.own_label == "ignored" else with_own_label(found, labels[held], joint)
            chosen[held] = weighed.argmax(axis=1)
            taken.append(rounds)
            wrong.append(1 - np.trace(joint))
            return found

        new, doubts = rows.labels.copy(), np.full(len(rows.labels), np.nan)
        if len(np.unique(labels)) > 1:
            by_others = out_of_fold(judge, labels, classes, generator)
            new[known], doubts[known] = chosen, 1 - by_others[np.arange(len(known)), labels]
        notes = {"rounds": float(np.mean(taken)), "noise": float(np.mean(wrong))} if taken else {}
        return Repaired(labels=new, doubts=doubts, doubtful=new != rows.labels, notes=notes)

    def _judged(
        self, vectors: Vectors, labels: Codes, others: Vectors, classes: int, generator: np.random.Generator
    ) -> tuple[Floats, Floats, int]:
        """Class probabilities of `others`, the joint of labels and classes, and the rounds taken, from these rows."""
        found = cross_fitted(vectors, labels, classes, generator, folds=INNER)
        agreement = np.mean(found.argmax(axis=1) == labels)
        joint = of_current = joint_of(labels, found)
        by_others, current = head_probabilities(vectors, labels, classes, others), labels
        for taken in range(self.rounds):

            def judge(rest: Rows, held: Rows, now: Codes = current, shares: Floats = of_current) -> Floats:
                return unlabelled_head(vectors[rest], now[rest], shares, vectors[held], self.penalty)

            found = out_of_fold(judge, current, classes, generator, INNER)
            agrees = np.mean(found.argmax(axis=1) == current)
            if agrees < agreement:
                return by_others, joint, taken
            by_others = unlabelled_head(vectors, current, of_current, others, self.penalty)
            agreement, joint = agrees, joint_of(labels, found)
            weighed = found if self.own_label == "ignored" else with_own_label(found, labels, joint)
            before, current = current, weighed.argmax(axis=1)
            if (before == current).all():
                return by_others, joint, taken + 1
            of_current = joint_of(current, found)
        return by_others, joint, self.rounds
