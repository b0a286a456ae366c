"""The variances of agreement that claims share, computed once for a study."""

from __future__ import annotations

from functools import lru_cache

from labelrisk.comparison.claims.contract import Lacking
from labelrisk.comparison.stability import FEWEST
from labelrisk.comparison.study import Study
from labelrisk.statistics.agreement_variances import AgreementVariances


@lru_cache(maxsize=1)
def alpha_variances(study: Study) -> AgreementVariances:
    """Krippendorff's alpha of the seeds of all sources; Lacking with fewer than three seeds."""
    if len(study.settings.seeds) < FEWEST:
        raise Lacking("It needs three seeds or more.")
    runs = {source: students.predictions for source, students in study.students.items()}
    return AgreementVariances(runs, len(study.classes), "alpha")
