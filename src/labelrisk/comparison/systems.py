"""All that labels the test rows: students by source, annotators used directly, and cheap classifiers on gold."""

from __future__ import annotations

from functools import lru_cache

from labelrisk.comparison.study import Study
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import macro_f1


def annotator_key(name: str) -> str:
    """The name of an annotator used directly, among systems; no source can have it."""
    return f"{name} directly"


def baseline_key(kind: str) -> str:
    """The name of a cheap classifier, among systems."""
    return f"{kind} on gold"


@lru_cache(maxsize=1)
def macro_f1_variances(study: Study) -> RunVariances:
    """What macro-F1 varies by, over all systems."""
    return variances(study, macro_f1)


def variances(study: Study, metric: Metric, with_single: bool = True) -> RunVariances:
    """What a metric varies by, over sources and, if wanted, what has one run: annotators and cheap classifiers."""
    runs = {source: students.predictions for source, students in study.students.items()}
    counts = {source: students.counts for source, students in study.students.items()}
    if with_single:
        single = {annotator_key(name): given for name, given in study.annotators_used_directly.items()}
        single |= {baseline_key(kind): given for kind, given in study.trained_baselines.items()}
        runs |= {name: given.codes[None] for name, given in single.items()}
        counts |= {name: given.counts[None] for name, given in single.items()}
    return RunVariances(study.test.gold, runs, counts, metric)
