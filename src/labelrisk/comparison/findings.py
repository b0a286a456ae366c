"""What a study says about the claims of the two papers, and with which recipe its students were trained."""

from __future__ import annotations

import math
from typing import Any

from labelrisk.comparison.claims.contract import Case, Claim, Finding, Lacking, cases
from labelrisk.comparison.claims.kinds import CLAIMS
from labelrisk.comparison.study import Study
from labelrisk.comparison.training_length import training_lengths
from labelrisk.settings.presets import recipe_of
from labelrisk.statistics.scores import rounded


def findings(study: Study) -> dict[str, Any]:
    """The content of metrics/findings.json: the recipe, and by annotator and claim the finding."""
    claims = {
        case.annotator: {claim.__name__: written(finding(claim, case)) for claim in CLAIMS} for case in cases(study)
    }
    return {"recipe": recipe_of_students(study), "claims": claims}


def finding(claim: Claim, case: Case) -> Finding:
    """What a claim comes to; `not decided here` where the study is without what it needs."""
    try:
        return claim(case)
    except Lacking as lacking:
        return Finding("not decided here", str(lacking))


def written(found: Finding) -> dict[str, Any]:
    """A finding as findings.json has it."""
    numbers = {name: getattr(found, name) for name in ("estimate", "low", "high")}
    return {
        "finding": found.finding,
        **{
            name: rounded(number) if number is not None and math.isfinite(number) else None  # JSON lacks infinity
            for name, number in numbers.items()
        },
        "because": found.because,
        "sources": list(found.sources),
    }


def recipe_of_students(study: Study) -> dict[str, Any]:
    """How the students were trained; by source: the steps that they made, mean over seeds, and have they converged?"""
    recipe = recipe_of(study.settings.train)
    last = study.curves.groupby(["source", "seed"], sort=False)["step"].max()
    steps = last.groupby("source", sort=False).mean()
    lengths = training_lengths(study) if len(study.curves) else {}
    return {
        "preset": recipe.preset,
        "budget": recipe.budget,
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "seeds": len(study.settings.seeds),
        "steps": {str(source): rounded(mean) for source, mean in steps.items()},
        "converged": {source: length.converged for source, length in lengths.items()},
    }
