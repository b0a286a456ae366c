"""What annotators' labels cost when they were asked for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from labelrisk.comparison.annotator_files import Answers
from labelrisk.params import Settings
from labelrisk.statistics.scores import Floats

AllAnswers = Mapping[str, Answers]  # by annotator


def cost_per_thousand(settings: Settings, name: str, answers: AllAnswers) -> float | None:
    """Of 1,000 texts that were asked about; None where that of any is unknown.  A panel costs its members."""
    members = _members(settings, name)
    if members is None:
        return None
    costs = np.array([pd.Series(answers[member].costs).mean(skipna=False) for member in members])
    return None if np.isnan(costs).any() else 1000 * float(costs.sum())


def costs_on_train(settings: Settings, name: str, answers: AllAnswers) -> Floats | None:
    """Of each train row, (N,); None for labels from elsewhere.  A panel costs its members."""
    members = _members(settings, name)
    if members is None:
        return None
    train = [answers[member].costs_on_train for member in members]
    return sum(train[1:], train[0])


def _members(settings: Settings, name: str) -> tuple[str, ...] | None:
    """Whose labels are paid; None where those of any were made elsewhere."""
    members = settings.members(name)
    return None if any(settings.is_bought_elsewhere(member) for member in members) else members
