"""A finished study, read from the files of all earlier stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from labelrisk.comparison.annotator_files import read_answers
from labelrisk.comparison.costs import cost_per_thousand, costs_on_train
from labelrisk.comparison.gold_rows import GoldRows, read_gold_rows
from labelrisk.comparison.runs import ReadRun, stacked_probabilities
from labelrisk.comparison.study import AnnotatorLabels, Students, Study, TrainingRows, students_of
from labelrisk.comparison.train_rows import Located, TrainIds, column_batches, read_train, refuse_twice
from labelrisk.comparison.training_curves import read_training_curves
from labelrisk.comparison.words import WordsRead, class_places, codes_in
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import read_frame, read_json
from labelrisk.params import Settings
from labelrisk.statistics.class_codes import codes_of
from labelrisk.statistics.scores import Codes, confusion


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
    test, validation = (read_gold_rows(prepared, split) for split in ("test", "validation"))
    train = read_train(prepared)
    sources = list(settings.sources)
    answers = {
        name: read_answers(labels / f"{name}.parquet", train.ids, classes)
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
            source: _training_rows(training / source / f"{settings.seeds[0]}.parquet", train.ids, classes)
            for source in sources
        },
        annotators_on_train={
            name: _annotator_labels(of.on_train[train.places], train.gold, classes) for name, of in answers.items()
        },
        annotators_on_test={
            name: _labels_of(of.others[of.others["split"] == "test"], test, classes) for name, of in answers.items()
        },
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
    twice = rows.duplicated("id")
    if twice.any():
        refuse_twice(path, rows["id"][twice].iloc[0])
    return rows


def _students(read: ReadRun, source: str, seeds: Sequence[int], test: GoldRows, validation: GoldRows) -> Students:
    runs = [read(source, seed) for seed in seeds]
    probabilities = stacked_probabilities(runs, source, seeds, "test", test.ids)
    on_validation = np.stack([run.of_split("validation", validation.ids) for run in runs])
    return students_of(test.gold, probabilities, on_validation)


def _training_rows(path: Path, train: TrainIds, classes: list[str]) -> TrainingRows:
    located, lookup = Located(train, path), class_places(classes)
    codes, words = [np.empty(0, dtype=np.int32)], {name: WordsRead() for name in ("origin", "labeller", "why")}
    for batch in column_batches(path, ["id", "split", "label", *words]):
        rows = batch.filter(pc.equal(batch["split"], "train"))
        located.take(rows["id"])
        codes.append(codes_in(rows["label"], lookup))
        for name, read in words.items():
            read.take(rows[name])
    return TrainingRows(located.places(), np.concatenate(codes), *(read.words() for read in words.values()))


def _notes(path: Path) -> dict[str, float]:
    by_seed = pd.DataFrame(read_json(path)) if path.exists() else pd.DataFrame()
    return {str(name): float(value) for name, value in by_seed.mean(axis=1).items()}


def _annotator_labels(codes: Codes, gold: Codes, classes: list[str]) -> AnnotatorLabels:
    return AnnotatorLabels(codes, confusion(gold, codes, len(classes)))


def _labels_of(answers: pd.DataFrame, rows: GoldRows, classes: list[str]) -> AnnotatorLabels:
    """The labels of `rows`; -1 for a row that was left out or not seen."""
    codes = codes_of(answers.set_index("id")["label"].reindex(rows.ids), classes)
    return _annotator_labels(codes, rows.gold, classes)
