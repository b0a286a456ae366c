"""The two terms of a student's error where its annotator gives probabilities: the annotator's own, and estimation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.annotator_errors import FEWEST, AnnotatorErrors
from labelrisk.statistics.divergences import Terms, divergence_terms, smoothed
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.row_means import mean_variances
from labelrisk.statistics.scores import Floats

FACTORS = (1.0, 0.1, 10.0)  # of the smoothing: what is said must not hang on it


class ErrorTerms(NamedTuple):
    """Of a source's students, in nats, means over rows and runs; see statistics/divergences.py.

    rows: test rows with probabilities; smoothing: 0 where no probability is 0; zeros: share of rows whose gold class
    has probability 0.  total, annotator: log losses, KL(P || P_hat) and KL(P || P_S) plus the entropy of P.  larger:
    annotator minus estimation; at_least: the same less the log loss of gold's students, which the entropy of P can't
    exceed.  misses: size of the remainder minus the smaller term; above 0, the two don't add up to the total.
    """

    rows: int
    smoothing: float
    zeros: float
    total: Interval
    annotator: Interval
    estimation: Interval
    remainder: Interval
    larger: Interval
    at_least: Interval | None
    misses: Interval


def terms_of(evidence: Evidence, of: AnnotatorErrors, source: str) -> list[ErrorTerms]:
    """With the smoothing of the settings first, then with a tenth and ten times of it; only once where no probability
    is 0.  Empty without probabilities.
    """
    given = evidence.given["test"][of.annotator].probabilities
    if given is None:
        return []
    rows = np.flatnonzero(~np.isnan(given).any(axis=1))
    if len(rows) < FEWEST:
        return []
    has_zeros = bool((given[rows] <= 0).any())
    chosen = [factor * evidence.settings.propagation.smoothing for factor in FACTORS] if has_zeros else [0.0]
    return [_terms(evidence, of, source, rows, given[rows], smoothing) for smoothing in chosen]


def _terms(
    evidence: Evidence, of: AnnotatorErrors, source: str, rows: NDArray[np.int64], given: Floats, smoothing: float
) -> ErrorTerms:
    study, gold = evidence.study, evidence.study.test.gold[rows]
    names = [source, *([of.gold] if of.gold else [])]  # gold's students tell how seeds vary, too
    own = smoothed(given, smoothing)
    found = {name: divergence_terms(gold, own, study.students[name].probabilities[:, rows]) for name in names}

    def mean(number: Callable[[Terms], Floats]) -> Interval:
        variances = mean_variances({name: number(one) for name, one in found.items()})
        return variances.contrast({source: 1.0}, study.settings.evaluate.confidence)

    at_least = None
    if of.gold:
        loss, larger = found[of.gold].total, found[source].annotator - found[source].estimation
        both = mean_variances({source: larger, of.gold: loss})
        at_least = both.contrast({source: 1.0, of.gold: -1.0}, study.settings.evaluate.confidence)
    return ErrorTerms(
        rows=len(rows),
        smoothing=smoothing,
        zeros=float((given[np.arange(len(rows)), gold] <= 0).mean()),
        total=mean(lambda one: one.total),
        annotator=mean(lambda one: one.annotator[None]),
        estimation=mean(lambda one: one.estimation),
        remainder=mean(lambda one: one.remainder),
        larger=mean(lambda one: one.annotator - one.estimation),
        at_least=at_least,
        misses=mean(_missed(found[source])),
    )


def _missed(found: Terms) -> Callable[[Terms], Floats]:
    """The size of the remainder less the term that is the smaller one of these."""
    sign = 1.0 if found.remainder.mean() >= 0 else -1.0
    own_is_smaller = found.annotator.mean() <= found.estimation.mean()
    return lambda one: sign * one.remainder - (one.annotator[None] if own_is_smaller else one.estimation)
