"""metrics/contrasts.json: each source held against its controls, the annotators and the cheap classifiers."""

from __future__ import annotations

from typing import Any

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.contrasts import contrasts
from labelrisk.comparison.study import Study
from labelrisk.comparison.systems import macro_f1_variances
from labelrisk.statistics.resolution import smallest_loss
from labelrisk.statistics.scores import rounded


def source_contrasts(study: Study) -> Outputs:
    """By source and what it is held against: difference of macro-F1, bounds, decision (Holm over all), resolution.

    smallest_loss: the smallest true difference that a study like this one would call one, with the power that is asked.
    """
    how, found = study.settings.evaluate, macro_f1_variances(study)
    table: dict[str, dict[str, Any]] = {source: {} for source in study.students}
    for question, contrast in contrasts(study).items():
        interval = found.difference(question.source, question.other, how.confidence)
        table[question.source][question.other] = {
            "as": question.role,
            "difference": rounded(contrast.estimate),
            "low": rounded(contrast.low),
            "high": rounded(contrast.high),
            "decision": contrast.decision,
            "smallest_loss": rounded(smallest_loss(interval, how.confidence, how.power)),
        }
    return {"metrics/contrasts.json": table}
