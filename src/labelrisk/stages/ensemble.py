"""ensemble: votes of the students of one source over its seeds, and of several sources together; one is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labelrisk.classifiers.folders import write_ensemble
from labelrisk.comparison.chosen_ensemble import chosen_ensemble, members_of, validation_scores
from labelrisk.comparison.ensembles import Ensemble, compact_scores, ensemble_predictions, ensemble_scores
from labelrisk.comparison.gold_rows import read_gold_rows
from labelrisk.comparison.outputs import write_outputs
from labelrisk.comparison.runs import runs_of, stacked_probabilities
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import written_aside
from labelrisk.params import ACROSS, Settings


def run(
    settings: Settings,
    runs: Path,
    prepared: Path,
    models: Path,
    metrics: Path,
    plots: Path,
    predictions: Path,
    chosen: Path,
) -> None:
    """Write the scores of soft and hard votes (JSON and CSV), their predictions on test rows, and a classifier.

    The vote of a source counts its seeds; 'across' counts all seeds of all sources in ensemble.across.
    models: the students' folders; chosen: the folder of the chosen ensemble, which labelrisk.load reads.
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

    validation = read_gold_rows(rows, "validation")
    on_validation = {
        source: np.stack([read(source, seed).of_split("validation", validation.ids) for seed in settings.seeds])
        for source in settings.sources
    }
    name = chosen_ensemble(settings, validation_scores(on_validation, validation.gold, len(classes)))
    students = {
        (source, seed): models / source / str(seed) for source in members_of(settings, name) for seed in settings.seeds
    }

    scores = ensemble_scores(ensembles, test, len(classes), settings.evaluate)
    with written_aside(chosen) as folder:
        folder.mkdir()
        write_ensemble(folder, name, classes, settings.train.max_tokens, students)
        write_outputs(
            {
                predictions: ensemble_predictions(ensembles, test.ids, classes),
                plots: scores,
                metrics: compact_scores(scores),
            }
        )
