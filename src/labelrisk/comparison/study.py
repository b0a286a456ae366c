"""A finished study, read once: what all analyses are functions of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.gold_rows import GoldRows
from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.train_rows import Places, TrainGold
from labelrisk.comparison.words import Words
from labelrisk.params import Settings
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, Counts, Floats, confusion


@dataclass(frozen=True, eq=False)
class Students(ReadOnlyArrays):
    """The students of one source on the test rows, one per seed.

    probabilities (R, N, K), predictions (R, N), and their confusion counts (R, K, K + 1), all in the order of seeds.
    validation (R, V, K): probabilities on the validation rows, nan for rows that the source has no label for.
    """

    probabilities: NDArray[np.float32]
    predictions: Codes
    counts: Counts
    validation: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainingRows(ReadOnlyArrays):
    """The train rows of one source for its first seed: their places among all train rows (-1: it is none of them),
    codes of the labels (-1: none), where they come from, who gave them and why; (M,) each.

    For other seeds other rows may be drawn, but as many.
    """

    places: Places
    codes: Codes
    origins: Words
    labellers: Words
    reasons: Words

    def of_all(self, rows: int) -> Codes:
        """The labels of all so many train rows, -1 for a row that is not here: (N,)."""
        known = self.places >= 0
        found = np.full(rows, NO_LABEL, dtype=self.codes.dtype)
        found[self.places[known]] = self.codes[known]
        return found


@dataclass(frozen=True, eq=False)
class AnnotatorLabels(ReadOnlyArrays):
    """An annotator's labels of the rows of one split that have gold: codes (N,), -1 for none; counts (K, K + 1)."""

    codes: Codes
    counts: Counts

    def on(self, rows: NDArray[np.int64], gold: Codes) -> AnnotatorLabels:
        """The labels of some of the rows, by their positions, whose gold is given."""
        codes = self.codes[rows]
        return AnnotatorLabels(codes, confusion(gold, codes, len(self.counts)))

    @property
    def has_labels(self) -> bool:
        """Whether any of these rows was given a label."""
        return bool(self.counts[:, :-1].any())


@dataclass(frozen=True, eq=False, kw_only=True)
class Study:
    """params.yaml, the rows with gold, and what students and annotators made of them.

    classes: label names in class order.  students, training_rows: by source, in the order of params.yaml.
    annotators_on_train, annotators_on_test: labels by annotator, then by panel; gold left out.
    baselines: the test labels of the cheap classifiers, by kind.
    costs: of an annotator's labels for 1,000 texts, when they were asked for; None where unknown.  costs_on_train: of
    those of each train row, (N,).  notes: what a source's repair measured about itself, the mean over seeds.
    curves: the frame of read_training_curves.  whole: the study of all test rows, where this is a part of one.
    """

    settings: Settings
    classes: tuple[str, ...]
    test: GoldRows
    validation: GoldRows
    train: TrainGold
    students: Mapping[str, Students]
    training_rows: Mapping[str, TrainingRows]
    annotators_on_train: Mapping[str, AnnotatorLabels]
    annotators_on_test: Mapping[str, AnnotatorLabels]
    baselines: Mapping[str, AnnotatorLabels]
    costs: Mapping[str, float | None]
    costs_on_train: Mapping[str, Floats | None]
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    curves: pd.DataFrame
    whole: Study | None = None

    def on(self, rows: NDArray[np.int64]) -> Study:
        """The study with some of the test rows alone, by their positions; what students learned from stays."""
        test = self.test.part(rows)
        return replace(
            self,
            test=test,
            students={
                source: students_of(test.gold, of.probabilities[:, rows], of.validation)
                for source, of in self.students.items()
            },
            annotators_on_test={name: of.on(rows, test.gold) for name, of in self.annotators_on_test.items()},
            baselines={kind: of.on(rows, test.gold) for kind, of in self.baselines.items()},
            whole=self.whole or self,
        )

    @property
    def annotators_used_directly(self) -> dict[str, AnnotatorLabels]:
        """The test labels of the annotators that gave any: they could stand in for students."""
        return {name: given for name, given in self.annotators_on_test.items() if given.has_labels}

    @property
    def trained_baselines(self) -> dict[str, AnnotatorLabels]:
        """The test labels of the cheap classifiers that had gold to learn from."""
        return {kind: given for kind, given in self.baselines.items() if given.has_labels}


def students_of(
    gold: Codes, probabilities: NDArray[np.float32], validation: NDArray[np.float32] | None = None
) -> Students:
    """The students that say so of test rows with this gold, and of validation rows, if there are any."""
    predictions = probabilities.argmax(axis=-1)
    if validation is None:
        validation = probabilities[:, :0]
    counts = np.stack([confusion(gold, run, probabilities.shape[-1]) for run in predictions])
    return Students(probabilities, predictions, counts, validation)
