"""ensemble: votes of the students of one source over its seeds, and of several sources together."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labelrisk.comparison.ensembles import Ensemble, compact_scores, ensemble_predictions, ensemble_scores
from labelrisk.comparison.gold_rows import read_gold_rows
from labelrisk.comparison.outputs import write_outputs
from labelrisk.comparison.runs import runs_of, stacked_probabilities
from labelrisk.corpora.prepared import Prepared
from labelrisk.params import ACROSS, Settings


def run(settings: Settings, runs: Path, prepared: Path, metrics: Path, plots: Path, predictions: Path) -> None:
    """Write the scores of soft and hard votes (JSON and CSV) and their predictions on the test rows.

    The vote of a source counts its seeds; 'across' counts all seeds of all sources in ensemble.across.
    """
    read = runs_of(runs)
    rows = Prepared(prepared)
    classes, test = rows.classes, read_gold_rows(rows, "test")
    members = {
        source: stacked_probabilities(
            [read(source, seed) for seed in settings.seeds], source, settings.seeds, "test", test.ids
        )
        for source in settings.sources
    }
    if settings.ensemble.across:
        members[ACROSS] = np.concatenate([members[source] for source in settings.ensemble.across])
    ensembles = [Ensemble(name, probabilities) for name, probabilities in members.items()]

    scores = ensemble_scores(ensembles, test, len(classes), settings.evaluate)
    write_outputs(
        {
            predictions: ensemble_predictions(ensembles, test.ids, classes),
            plots: scores,
            metrics: compact_scores(scores),
        }
    )
