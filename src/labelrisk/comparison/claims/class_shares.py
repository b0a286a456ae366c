"""The claim about how often a class is predicted.  Pangakis & Wolken (2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.claims.contract import Case, Finding
from labelrisk.comparison.claims.judgements import higher
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import Floats

SLIGHT = 0.1  # of the class's true share: so much more or less is little, where that is below the margin


def overpredicts_minority(case: Case) -> Finding:
    """Students of the annotator's labels predict the rarest class more often than those of gold do.

    The difference of how far each overdoes it: predicted minus true share, and the true share is the same.
    No: it is ruled out that they do by the margin, or by a tenth of the true share if that is less.
    """
    study, how = case.study, case.study.settings.evaluate
    shares = np.bincount(study.test.gold, minlength=len(study.classes)) / len(study.test.gold)
    rarest = int(np.where(shares > 0, shares, np.inf).argmin())
    names = (case.plain, case.gold)
    runs = {name: study.students[name].predictions for name in study.students}
    counts = {name: study.students[name].counts for name in study.students}
    variances = RunVariances(study.test.gold, runs, counts, predicted_share(rarest))
    little = round(min(how.margin, SLIGHT * float(shares[rarest])), 4)
    found = higher(variances.difference(*names, how.confidence), little, names)
    rare = f"The rarest class is '{study.classes[rarest]}', a share of {shares[rarest]:.3f}."
    return found._replace(because=f"{found.because} {rare}")


def predicted_share(code: int) -> Metric:
    """The share of rows that are predicted as a class: counts (..., K, K + 1) -> (...)."""

    def share(counts: NDArray[Any]) -> Floats:
        return np.asarray(counts[..., code].sum(axis=-1) / counts.sum(axis=(-2, -1)), dtype=np.float64)

    return share
