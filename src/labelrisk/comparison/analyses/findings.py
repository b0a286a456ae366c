"""metrics/findings.json: each claim of the two papers, tested on this study."""

from __future__ import annotations

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.findings import findings as findings_of
from labelrisk.comparison.study import Study


def findings(study: Study) -> Outputs:
    """The recipe, and by annotator and claim: the finding, estimate, low, high, because, and the sources compared."""
    return {"metrics/findings.json": findings_of(study)}
