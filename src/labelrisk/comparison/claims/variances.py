"""The variances that claims share, computed once for a study."""

from __future__ import annotations

from functools import lru_cache

from labelrisk.comparison.claims.contract import Lacking
from labelrisk.comparison.study import Study
from labelrisk.statistics.agreement_variances import AgreementVariances
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import macro_f1


def used_directly(annotator: str) -> str:
    """What an annotator's own labels of the test rows are called beside the sources, whose names have no spaces."""
    return f"{annotator} used directly"


@lru_cache(maxsize=1)
def f1_variances(study: Study) -> RunVariances:
    """Macro-F1 of all sources, and of the annotators used directly, which are sources of one run."""
    directly = study.annotators_used_directly
    runs = {source: students.predictions for source, students in study.students.items()}
    counts = {source: students.counts for source, students in study.students.items()}
    runs |= {used_directly(name): given.codes[None] for name, given in directly.items()}
    counts |= {used_directly(name): given.counts[None] for name, given in directly.items()}
    return RunVariances(study.test.gold, runs, counts, macro_f1)


@lru_cache(maxsize=1)
def alpha_variances(study: Study) -> AgreementVariances:
    """Krippendorff's alpha of the seeds of all sources; Lacking with one seed."""
    if len(study.settings.seeds) < 2:
        raise Lacking("It needs two seeds or more.")
    runs = {source: students.predictions for source, students in study.students.items()}
    return AgreementVariances(runs, len(study.classes), "alpha")
