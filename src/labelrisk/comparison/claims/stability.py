"""Claims about the agreement of seeds, Krippendorff's alpha.  Lu & Smith (2025)."""

from __future__ import annotations

from labelrisk.comparison.claims.contract import Case, Finding, Lacking
from labelrisk.comparison.claims.judgements import lower
from labelrisk.comparison.claims.variances import alpha_variances
from labelrisk.sources.controls import noise_twin


def llm_less_stable(case: Case) -> Finding:
    """Students of the annotator's labels agree less across seeds than those of gold.

    No: a loss of the stability margin or more is ruled out.
    """
    return _less_stable(case, case.gold)


def less_stable_than_noise(case: Case) -> Finding:
    """They agree less than students of gold with as many errors at random: it is not noise alone.  Beyond the papers.

    The twin's errors are drawn anew for each seed, which costs agreement, while the annotator's are the same for all.
    """
    twin = noise_twin(case.sources, case.plain)
    if twin is None:
        raise Lacking(f"It needs a source with noise of {case.annotator}.")
    return _less_stable(case, twin)


def _less_stable(case: Case, other: str) -> Finding:
    how = case.study.settings.evaluate
    found = alpha_variances(case.study).difference(case.plain, other, how.confidence)
    return lower(found, how.stability_margin, (case.plain, other))
