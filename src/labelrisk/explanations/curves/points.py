"""The points of learning curves: what students of each source and number of train rows score, and their training."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from labelrisk.comparison.labels_spent import rows_and_gold
from labelrisk.comparison.training_length import training_lengths
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.convergence import Convergence, convergence
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.score_points import Runs, ScorePoints, score_points
from labelrisk.statistics.scores import macro_f1


class Curves(NamedTuple):
    """All points, seeds of each (S,), and by its place whether its students have converged; None where not known."""

    points: ScorePoints
    seeds: tuple[int, ...]
    lengths: tuple[Convergence | None, ...]
    confidence: float

    @property
    def sources(self) -> list[str]:
        """The sources that have a curve."""
        return list(dict.fromkeys(self.points.sources))

    def mean(self, place: int) -> Interval:
        """The macro-F1 of a point."""
        weights = np.zeros(len(self.seeds))
        weights[place] = 1.0
        return self.points.contrast(weights, self.confidence)

    def unconverged(self, sources: list[str], least: float = 0.0) -> list[tuple[str, int]]:
        """Sources and numbers of rows, from `least` on, whose students have not converged."""
        return [
            (source, int(self.points.rows[place]))
            for source in sources
            for place in self.points.of(source)
            if self.points.rows[place] >= least and (length := self.lengths[place]) and not length.converged
        ]

    def table(self) -> pd.DataFrame:
        """A row for each point."""
        rows = []
        for source in self.sources:
            for place in self.points.of(source):
                found, length = self.mean(place), self.lengths[place]
                rows.append({
                    "source": source,
                    "rows": int(self.points.rows[place]),
                    "seeds": self.seeds[place],
                    "macro_f1": found.estimate,
                    "low": found.low,
                    "high": found.high,
                    "steps": length.steps if length else None,
                    "fit": length.fit if length else None,
                    "to_come": length.to_come if length else None,
                    "converged": length.converged if length else None,
                })  # fmt: skip
        return pd.DataFrame(rows)


def curves_of(evidence: Evidence) -> Curves:
    """The points of all sources that have students of fewer rows, and of their students of all rows."""
    study, smaller = evidence.study, evidence.smaller
    flat, confidence = study.settings.evaluate.flat, study.settings.evaluate.confidence
    runs = [Runs(of.source, of.rows, of.predictions, of.counts) for of in smaller]
    judged = convergence(
        {str(place): list(of.curves) for place, of in enumerate(smaller)},
        {str(place): list(of.entropies) for place, of in enumerate(smaller)},
        flat,
    )
    lengths: list[Convergence | None] = [judged[str(place)] for place in range(len(smaller))]
    whole = training_lengths(study) if len(study.curves) else {}
    for source in dict.fromkeys(of.source for of in smaller):
        students = study.students[source]
        runs.append(Runs(source, rows_and_gold(study, source)[0], students.predictions, students.counts))
        lengths.append(whole.get(source))
    points = score_points(study.test.gold, runs, macro_f1)
    return Curves(points, tuple(len(of.predictions) for of in runs), tuple(lengths), confidence)
