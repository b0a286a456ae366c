"""Votes of students: how good they are, with intervals, and what they predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.gold_rows import GoldRows
from labelrisk.settings.evaluate import EvaluateSettings
from labelrisk.statistics.bootstrap import interval, resampled_macro_f1, row_weights, run_macro_f1
from labelrisk.statistics.scores import Codes, accuracy, confusion, rounded
from labelrisk.statistics.votes import hard_vote, mean_probabilities, soft_vote

COMPACT = ["accuracy", "macro_f1", "low", "high", "gain"]  # what of the scores stands in the metrics file


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Students that vote together, by their probabilities on the test rows: (R, N, K)."""

    name: str
    probabilities: NDArray[np.float32]

    @cached_property
    def votes(self) -> dict[str, Codes]:
        """The class that the vote gives each test row, (N,), for both ways to count votes."""
        return {"soft": soft_vote(self.probabilities), "hard": hard_vote(self.probabilities)}


def ensemble_scores(
    ensembles: Sequence[Ensemble], test: GoldRows, classes: int, settings: EvaluateSettings
) -> pd.DataFrame:
    """A row per ensemble and vote: ensemble, vote, students (how many), accuracy, macro_f1, low, high, gain and bounds.

    `gain` is the vote's macro-F1 minus the mean macro-F1 of the students that vote. Intervals resample the test rows
    and keep the students, with the same draws as the comparison of sources.
    """
    weights = row_weights(len(test.gold), settings.resamples, np.random.default_rng([settings.seed, 0]))
    rows = []
    for ensemble in ensembles:
        students = ensemble.probabilities.argmax(axis=-1)
        single = run_macro_f1(test.gold, students, classes).mean()
        single_resampled = resampled_macro_f1(test.gold, students, classes, weights).mean(axis=1)
        for vote, winners in ensemble.votes.items():
            macro_f1 = run_macro_f1(test.gold, winners[None], classes)[0]
            resampled = resampled_macro_f1(test.gold, winners[None], classes, weights)[:, 0]
            low, high = interval(resampled, settings.confidence)
            gain_low, gain_high = interval(resampled - single_resampled, settings.confidence)
            scores = {
                "accuracy": accuracy(confusion(test.gold, winners, classes)),
                "macro_f1": macro_f1,
                "low": low,
                "high": high,
                "gain": macro_f1 - single,
                "gain_low": gain_low,
                "gain_high": gain_high,
            }
            numbers = {metric: rounded(value) for metric, value in scores.items()}
            rows.append({"ensemble": ensemble.name, "vote": vote, "students": len(students)} | numbers)
    return pd.DataFrame(rows)


def compact_scores(scores: pd.DataFrame) -> dict[str, Any]:
    """The frame of ensemble_scores as the metrics file has it: ensemble -> vote -> metric, without bounds of gains."""
    return {str(name): of.set_index("vote")[COMPACT].T.to_dict() for name, of in scores.groupby("ensemble", sort=False)}


def ensemble_predictions(ensembles: Sequence[Ensemble], ids: pd.Index[Any], classes: Sequence[str]) -> pd.DataFrame:
    """A row per ensemble and test row: id, ensemble, soft, hard (class names), probabilities (K mean ones)."""
    names = np.array(classes, dtype=object)
    frames = []
    for ensemble in ensembles:
        votes = {vote: names[winners] for vote, winners in ensemble.votes.items()}
        mean = list(mean_probabilities(ensemble.probabilities).astype(np.float32))
        frames.append(pd.DataFrame({"id": ids, "ensemble": ensemble.name, **votes, "probabilities": mean}))
    return pd.concat(frames, ignore_index=True)
