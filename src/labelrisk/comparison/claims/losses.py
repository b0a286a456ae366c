"""Claims about macro-F1: students of an annotator's labels against those of gold, and against the annotator itself."""

from __future__ import annotations

from labelrisk.comparison.claims.contract import Case, Finding, Lacking
from labelrisk.comparison.claims.judgements import judged, lower, points
from labelrisk.comparison.systems import annotator_key, macro_f1_variances

NEAR = 0.006  # Pangakis & Wolken (2024): so far are students of GPT-4's labels from GPT-4 itself


def llm_worse(case: Case) -> Finding:
    """Students of the annotator's labels have a lower macro-F1 than those of gold.  Both papers.

    No: a loss of the margin or more is ruled out.
    """
    how = case.study.settings.evaluate
    found = macro_f1_variances(case.study).difference(case.plain, case.gold, how.confidence)
    return lower(found, how.margin, (case.plain, case.gold))


def student_near_annotator(case: Case) -> Finding:
    """Students are within .006 of the annotator used directly, or above it.  Pangakis & Wolken (2024)."""
    if case.annotator not in case.study.annotators_used_directly:
        raise Lacking(f"It needs labels of {case.annotator} on test rows.")
    directly = annotator_key(case.annotator)
    found = macro_f1_variances(case.study).difference(case.plain, directly, case.study.settings.evaluate.confidence)
    words = judged(
        found,
        [
            (found.low > -NEAR, "holds", f"A difference of {points(-NEAR)} or less is ruled out."),
            (found.high < -NEAR, "does not hold", f"The whole interval lies below {points(-NEAR)}."),
        ],
        f"The interval holds {points(-NEAR)}.",
    )
    return words._replace(sources=(case.plain, directly))
