"""metrics/sources.json: scores, stability and risk of each source, and how many labels it took."""

from __future__ import annotations

from typing import Any

import numpy as np

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.risk import Comparison, compare
from labelrisk.comparison.study import Students, Study
from labelrisk.statistics.agreement import krippendorff_alpha, unchanged
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import accuracy, macro_f1, rounded


def source_scores(study: Study) -> Outputs:
    """By source: accuracy and macro-F1 over seeds, agreement of seeds, the comparison with the reference, labels."""
    how, classes = study.settings.evaluate, len(study.classes)
    comparisons = compare(
        study.test.gold,
        {source: students.predictions for source, students in study.students.items()},
        {source: students.counts for source, students in study.students.items()},
        reference=how.reference,
        margin=how.margin,
        confidence=how.confidence,
    )
    summary = {
        source: _scores(students) | _stability(students, classes) | _risk(comparisons[source]) | _labels(study, source)
        for source, students in study.students.items()
    }
    return {"metrics/sources.json": summary}


def _scores(students: Students) -> dict[str, float | None]:
    """Mean over seeds, and standard deviation where there are several."""
    scores = {}
    for name, values in (("accuracy", accuracy(students.counts)), ("macro_f1", macro_f1(students.counts))):
        scores[name] = rounded(values.mean())
        scores[f"{name}_sd"] = rounded(values.std(ddof=1)) if len(values) > 1 else None
    return scores


def _stability(students: Students, classes: int) -> dict[str, float | None]:
    return {
        "alpha": rounded(krippendorff_alpha(students.predictions, classes)),
        "p_uc": rounded(unchanged(students.predictions)),
    }


def _risk(comparison: Comparison) -> dict[str, Any]:
    return {
        "difference": rounded(comparison.difference),
        "difference_low": rounded(comparison.low),
        "difference_high": rounded(comparison.high),
        "verdict": comparison.verdict,
    }


def _labels(study: Study, source: str) -> dict[str, int]:
    """The labelled train rows, and for how many of them gold was spent."""
    settings, rows = study.settings, study.training_rows[source]
    is_gold = settings.is_gold(settings.sources[source].annotator)
    # Noise drawn onto gold labels spends them too: they must be known before they can be spoilt.
    origins_of_gold = ["gold", "noise", *(["annotator"] if is_gold else [])]
    is_labelled = rows.codes != NO_LABEL
    is_spent = is_labelled & np.isin(rows.origins, origins_of_gold)
    return {"rows": int(is_labelled.sum()), "gold_labels": int(is_spent.sum())}
