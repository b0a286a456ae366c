"""The claims about how an annotator's errors reach its students.  Lu & Smith (2025)."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.comparison.claims.contract import Finding, cases
from labelrisk.comparison.claims.judgements import higher
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.followed_errors import Followed, OfSource

PROPAGATE, OWN = "errors_propagate", "error_is_the_annotators"


def errors_claims(evidence: Evidence, followed: Sequence[Followed]) -> dict[str, dict[str, Finding]]:
    """By annotator with a source of its labels as they are."""
    by_name = {of.errors.annotator: of for of in followed}
    margin = evidence.study.settings.evaluate.margin
    found = {}
    for case in cases(evidence.study):
        of = by_name.get(case.annotator)
        if of is None:
            lacking = Finding(
                "not decided here", f"It needs errors of {case.annotator} on test rows with gold, 10 or more of them."
            )
            found[case.annotator] = {PROPAGATE: lacking, OWN: lacking}
        else:
            one = of.sources[case.plain]
            found[case.annotator] = {PROPAGATE: _propagate(of, one, margin), OWN: _own(of, one)}
    return found


def _propagate(of: Followed, one: OfSource, margin: float) -> Finding:
    """Students repeat the annotator's errors more than students of gold do, on the same rows.

    No: a difference of the margin or more is ruled out.
    """
    if of.errors.gold is None:
        return Finding("not decided here", "It needs a source of gold labels.")
    return higher(one.repeats.repeated.difference, margin, (one.name, of.errors.gold))


def _own(of: Followed, one: OfSource) -> Finding:
    """KL(P || P_S), the annotator's own error, is larger than KL(P_S || P_hat), estimation; in nats.

    KL(P || P_S) is a log loss, which is too high by what is uncertain in gold; where zeros are smoothed, it must be so
    with a tenth and ten times of the smoothing, too.
    """
    if not one.terms:
        return Finding("not decided here", f"It needs probabilities of {of.errors.annotator} on test rows.")
    (number, *_), sources = one.terms, (one.name,)
    signs = {1 if terms.larger.low > 0 else -1 if terms.larger.high < 0 else 0 for terms in one.terms}
    estimate = number.larger[:3]
    if signs == {1}:
        certain = all(terms.at_least is not None and terms.at_least.low > 0 for terms in one.terms)
        gold = "It does not hang on" if certain else "It rests on"
        return Finding("holds", f"The whole interval (nats) lies above 0. {gold} gold labels being certain.", *estimate,
                       sources)  # fmt: skip
    if signs == {-1}:
        return Finding("does not hold", "The whole interval (nats) lies below 0.", *estimate, sources)
    if len(signs) > 1:
        why = "What it comes to hangs on how probabilities of 0 are smoothed."
        return Finding("not decided here", why, *estimate, sources)
    return Finding("not decided here", "The interval (nats) holds 0.", *estimate, sources)
