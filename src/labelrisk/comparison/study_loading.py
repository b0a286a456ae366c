"""A finished study, read from the files of all earlier stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.comparison.costs import cost_per_thousand, costs_on_train
from labelrisk.comparison.gold_rows import GoldRows, read_gold_rows
from labelrisk.comparison.runs import ReadRun, stacked_probabilities
from labelrisk.comparison.study import AnnotatorLabels, Students, Study, TrainingRows, students_of
from labelrisk.comparison.training_curves import read_training_curves
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import read_frame, read_json
from labelrisk.params import Settings
from labelrisk.statistics.class_codes import codes_of
from labelrisk.statistics.scores import confusion


def load_study(
    settings: Settings,
    prepared: Prepared,
    labels: Path,
    baselines: Path,
    training: Path,
    runs: ReadRun,
    logs: Path,
) -> Study:
    """Read the files of all declared sources, seeds, annotators and panels; undeclared files are not looked at.

    runs: what reads a student's predictions.
    Raises LabelRiskError where a declared run is missing, or lacks a test row.
    """
    classes = prepared.classes
    test, validation, train = (read_gold_rows(prepared, split) for split in ("test", "validation", "train"))
    sources = list(settings.sources)
    answers = {
        name: _rows(labels / f"{name}.parquet", ["id", "split", "label", "status", "cost"])
        for name in settings.labellers
        if not settings.is_gold(name)
    }
    return Study(
        settings=settings,
        classes=tuple(classes),
        test=test,
        validation=validation,
        train=train,
        students={source: _students(runs, source, settings.seeds, test, validation) for source in sources},
        training_rows={
            source: _training_rows(training / source / f"{settings.seeds[0]}.parquet", classes) for source in sources
        },
        annotators_on_train={
            name: _annotator_labels(frame, "train", train, classes) for name, frame in answers.items()
        },
        annotators_on_test={name: _annotator_labels(frame, "test", test, classes) for name, frame in answers.items()},
        baselines={
            kind: _labels_of(_rows(baselines / f"{kind}.parquet", ["id", "label"]), test, classes)
            for kind in settings.baseline.kinds
        },
        costs={name: cost_per_thousand(settings, name, answers) for name in answers},
        costs_on_train={name: costs_on_train(settings, name, answers) for name in answers},
        notes={source: _notes(training / source / "notes.json") for source in sources},
        curves=read_training_curves(logs, sources, settings.seeds),
    )


def _rows(path: Path, columns: list[str]) -> pd.DataFrame:
    """Rows of a file of an earlier stage, each once.

    Raises LabelRiskError for a damaged file.
    """
    rows = read_frame(path, columns)
    twice = rows.duplicated([name for name in ("id", "split") if name in columns])
    if twice.any():
        raise LabelRiskError(
            f"{path} holds the row '{shown(rows['id'][twice].iloc[0])}' twice; remove it and run `dvc repro`, which "
            "makes it"
        )
    return rows


def _students(read: ReadRun, source: str, seeds: Sequence[int], test: GoldRows, validation: GoldRows) -> Students:
    runs = [read(source, seed) for seed in seeds]
    probabilities = stacked_probabilities(runs, source, seeds, "test", test.ids)
    on_validation = np.stack([run.of_split("validation", validation.ids) for run in runs])
    return students_of(test.gold, probabilities, on_validation)


def _training_rows(path: Path, classes: list[str]) -> TrainingRows:
    rows = _rows(path, ["id", "split", "label", "origin", "labeller", "why"])
    rows = rows[rows["split"] == "train"]
    origins, labellers, reasons = (rows[name].to_numpy(dtype=object) for name in ("origin", "labeller", "why"))
    return TrainingRows(pd.Index(rows["id"]), codes_of(rows["label"], classes), origins, labellers, reasons)


def _notes(path: Path) -> dict[str, float]:
    by_seed = pd.DataFrame(read_json(path)) if path.exists() else pd.DataFrame()
    return {str(name): float(value) for name, value in by_seed.mean(axis=1).items()}


def _annotator_labels(answers: pd.DataFrame, split: str, rows: GoldRows, classes: list[str]) -> AnnotatorLabels:
    return _labels_of(answers[answers["split"] == split], rows, classes)


def _labels_of(answers: pd.DataFrame, rows: GoldRows, classes: list[str]) -> AnnotatorLabels:
    """The labels of `rows`; -1 for a row that was left out or not seen."""
    codes = codes_of(answers.set_index("id")["label"].reindex(rows.ids), classes)
    return AnnotatorLabels(codes, confusion(rows.gold, codes, len(classes)))
