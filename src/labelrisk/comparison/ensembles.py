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
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import rows_interval
from labelrisk.statistics.scores import Codes, Floats, accuracy, confusion, macro_f1, rounded
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

    `gain` is the vote's macro-F1 minus the mean macro-F1 of the students that vote. Intervals are about other test rows
    and these students.
    """
    gold, rows = test.gold, []
    for ensemble in ensembles:
        students = ensemble.probabilities.argmax(axis=-1)
        single = np.stack([confusion(gold, run, classes) for run in students])
        of_students = row_influences(gold, students, single, macro_f1).mean(axis=0)
        for vote, winners in ensemble.votes.items():
            counts = confusion(gold, winners, classes)
            of_vote = row_influences(gold, winners[None], counts[None], macro_f1)[0]
            score, gain = float(macro_f1(counts)), float(macro_f1(counts) - macro_f1(single).mean())
            bounds = rows_interval(score, of_vote, settings.confidence)
            gain_bounds = rows_interval(gain, of_vote - of_students, settings.confidence)
            scores: dict[str, float | Floats] = {
                "accuracy": accuracy(counts),
                "macro_f1": score,
                "low": bounds.low,
                "high": bounds.high,
                "gain": gain,
                "gain_low": gain_bounds.low,
                "gain_high": gain_bounds.high,
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
