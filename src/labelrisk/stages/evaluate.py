"""evaluate: every source's students and every annotator against gold on the same test rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from labelrisk.comparison.analyses.kinds import ANALYSES
from labelrisk.comparison.outputs import Output, write_outputs
from labelrisk.comparison.runs import runs_in, write_runs
from labelrisk.comparison.study_loading import load_study
from labelrisk.corpora.prepared import Prepared
from labelrisk.params import Settings
from labelrisk.students.store import Store
from labelrisk.undeclared_outputs import prune_undeclared


def run(
    settings: Settings,
    prepared: Path,
    labels: Path,
    ballots: Path,
    baselines: Path,
    training: Path,
    predictions: Path,
    logs: Path,
    models: Path,
    store: Path,
    runs: Path,
    metrics: Path,
    plots: Path,
) -> None:
    """Write what all analyses find, in the folders `metrics` and `plots`, and all runs as one file, or nothing.

    First removes from the folders of data, models and metrics/annotate, and from the store of finished students, what
    params.yaml no longer declares.
    """
    prune_undeclared(
        settings,
        labels=labels,
        ballots=ballots,
        baselines=baselines,
        totals=metrics / "annotate",
        training=training,
        runs=(predictions, logs, models),
    )
    Store(store).prune(settings.sources, settings.curve.sizes, settings.curve.sources)
    read = runs_in(predictions)
    study = load_study(settings, Prepared(prepared), labels, baselines, training, read, logs)
    outputs: dict[Path, Output] = {
        runs: partial(write_runs, read=read, sources=list(settings.sources), seeds=settings.seeds)
    }
    folders = {"metrics": metrics, "plots": plots}
    for analysis in ANALYSES:
        for path, output in analysis(study).items():
            folder, name = path.split("/")
            outputs[folders[folder] / name] = output
    write_outputs(outputs)
