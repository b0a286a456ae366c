"""metrics/baselines.json: cheap classifiers that learned gold, on the test rows."""

from __future__ import annotations

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.study import Study
from labelrisk.statistics.scores import accuracy, macro_f1, rounded


def baseline_scores(study: Study) -> Outputs:
    """By kind: how many gold labels it learned from, accuracy and macro-F1 on the test rows, None without any."""
    summary = {
        kind: {
            "gold_labels": len(study.train.gold),
            "test_accuracy": rounded(accuracy(given.counts)) if given.has_labels else None,
            "test_macro_f1": rounded(macro_f1(given.counts)) if given.has_labels else None,
        }
        for kind, given in study.baselines.items()
    }
    return {"metrics/baselines.json": summary}
