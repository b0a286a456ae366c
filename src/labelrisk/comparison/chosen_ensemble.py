"""Which vote is kept as a classifier: the declared one, or that of the source whose vote is best on validation rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from labelrisk.params import ACROSS, Settings
from labelrisk.settings.ensemble import AUTO
from labelrisk.statistics.scores import Codes, confusion, macro_f1
from labelrisk.statistics.votes import soft_vote

Validation = Mapping[str, NDArray[np.float32]]  # by source, (R, V, K), nan for a row that was not predicted


def validation_scores(validation: Validation, gold: Codes, classes: int) -> dict[str, float]:
    """Macro-F1 of each source's soft vote on the rows that all students of all sources predicted; {} without any."""
    told = predicted_rows(*validation.values())
    if not told.any():
        return {}
    return {
        source: float(macro_f1(confusion(gold[told], soft_vote(of[:, told]), classes)))
        for source, of in validation.items()
    }


def chosen_ensemble(settings: Settings, scores: Mapping[str, float]) -> str:
    """The name of a source, or `across`.  scores: validation_scores; of equals the first, without any the reference."""
    if settings.ensemble.chosen != AUTO:
        return settings.ensemble.chosen
    return max(scores, key=lambda source: scores[source]) if scores else settings.evaluate.reference


def members_of(settings: Settings, ensemble: str) -> tuple[str, ...]:
    """The sources whose students vote in an ensemble."""
    return settings.ensemble.across if ensemble == ACROSS else (ensemble,)


def predicted_rows(*validation: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The rows that all students predicted: (R, V, K) each -> (V,)."""
    return np.asarray(np.all([~np.isnan(of).any(axis=(0, 2)) for of in validation], axis=0))
