"""Channel ensemble: many light heads on parts of the channels, merged into one pseudo-label of low bias and variance.

Wu, Pang, Zhang & Huang (2024), *A Channel-ensemble Approach: Unbiased and Low-variance Pseudo-labels is Critical for
Semi-supervised Classification*, arXiv 2403.18407.  From its abstract and summaries: heads on parts of the channels, of
which each alone is a poor pseudo-label, are merged; a Chebyshev bound ties the merged one's variance to how far it can
be trusted; a low-bias and a low-variance loss train the heads together.  Our reading, for want of the full text, with
heads on frozen vectors, which are not trained together: low variance is the mean over heads on random channels, each
cross-fitted on folds of its own; the bias is that of the class shares, which wrong labels shift, and is taken off by
moving the probabilities to the shares that confident learning estimates; Chebyshev's bound says what is relabelled.
That bias is one number for each class, and the only thing in which a row's judgement depends on its own label.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from labelrisk.repairs.contract import Floats, Gives, NoisyRows, Repaired
from labelrisk.repairs.heads import cross_fitted
from labelrisk.repairs.label_errors import joint_of
from labelrisk.settings.section import Section, Share


class ChannelEnsemble(Section):
    """Labels are the merged ones where heads bear them out; doubts are 1 - the merged probability of the row's label.

    heads: their number.  channels: the share of them that each head sees.  tolerance: the highest accepted bound on the
    probability that a head, drawn like these, prefers the row's own label to the merged one; lower relabels fewer rows.
    """

    kind: Literal["channel_ensemble"] = "channel_ensemble"  # labels that heads on parts of the vectors bear out
    heads: Annotated[int, Field(ge=2, le=1000)] = 10  # number of classifiers on parts of the vectors
    channels: Share = 0.5  # share of the vectors' numbers that each head sees
    tolerance: Share = 0.5  # how probably a head may prefer the old label; lower relabels less
    gives: ClassVar[frozenset[Gives]] = frozenset({"labels", "doubts"})

    def repaired(self, rows: NoisyRows, generator: np.random.Generator) -> Repaired:
        """See Repair; notes tell the mean standard deviation of the heads' probabilities, and the largest bias."""
        known = np.flatnonzero(rows.labels >= 0)
        labels, row = rows.labels[known], np.arange(len(known))
        new, doubts, notes = rows.labels.copy(), np.full(len(rows.labels), np.nan), {}
        if len(np.unique(labels)) > 1:
            by_head = self._by_head(rows, generator)
            mean = by_head.mean(axis=0)
            bias = bias_of(mean, joint_of(labels, mean).sum(axis=0))
            moved = by_head * bias
            total = moved.sum(axis=2, keepdims=True)
            by_head = np.divide(moved, total, out=by_head, where=total > 0)
            merged = by_head.mean(axis=0)
            best = merged.argmax(axis=1)
            lead = by_head[:, row, best] - by_head[:, row, labels]
            # where no head knows the row's class, as it is the only one of it, none can speak against it
            trusted = (bound(lead) <= self.tolerance) & (merged[row, labels] > 0)
            new[known[trusted]] = best[trusted]
            doubts[known] = 1 - merged[row, labels]
            notes = {
                "deviation": float(by_head.std(axis=0).mean()),
                "bias": float(np.abs(np.log(bias[bias > 0])).max()),
            }
        return Repaired(labels=new, doubts=doubts, doubtful=new != rows.labels, notes=notes)

    def _by_head(self, rows: NoisyRows, generator: np.random.Generator) -> Floats:
        """Class probabilities (H, N, K) of the labelled rows, by heads that saw not all channels, nor their label."""
        known, width = rows.labels >= 0, rows.vectors.shape[1]
        seen = max(1, round(self.channels * width))
        return np.stack(
            [
                cross_fitted(
                    rows.vectors[known][:, generator.choice(width, seen, replace=False)],
                    rows.labels[known],
                    len(rows.classes),
                    generator,
                )
                for _ in range(self.heads)
            ]
        )


def bias_of(merged: Floats, shares: Floats) -> Floats:
    """What to multiply class probabilities (N, K) with, (K,), so that they move towards these shares of the classes."""
    mean = merged.mean(axis=0)
    return np.asarray(np.divide(shares, mean, out=np.zeros_like(mean), where=mean > 0))


def bound(lead: Floats) -> Floats:
    """Chebyshev's bound (N,) on the probability that a head's lead is 0 or less, from leads (H, N); 1 is no bound.

    P(|lead - mean| >= mean) <= variance / mean^2, with the variance of single heads: they share their labels, so that
    their mean varies by more than 1/H of it.
    """
    mean, variance = lead.mean(axis=0), lead.var(axis=0, ddof=1)
    return np.asarray(np.divide(variance, mean**2, out=np.ones_like(mean), where=mean > 0).clip(max=1))
