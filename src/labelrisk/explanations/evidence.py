"""What all explanations are functions of: the study, and what is known of its rows beside their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.runs import Run
from labelrisk.comparison.study import Study
from labelrisk.comparison.train_rows import TrainIds
from labelrisk.corpora.prepared import Prepared
from labelrisk.engines.contract import Engine
from labelrisk.explanations.smaller_runs import SmallerRuns
from labelrisk.explanations.train_columns import StoredProbabilities, StoredVectors, distributions, read_train_labels
from labelrisk.settings.explain import ExplainSettings
from labelrisk.statistics.class_codes import NO_LABEL, codes_of
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.vectors.vectors_file import Vectors, read_vectors

SPLITS = ("test", "validation")


@dataclass(frozen=True, eq=False, kw_only=True)
class RowFacts(ReadOnlyArrays):
    """Rows of one split, in the order of the split: ids, gold codes (N,) (-1: none), words (N,), vectors (N, D).

    columns: by name, the values of what corpus.slices names, (N,), None for none.
    """

    ids: pd.Index[Any]
    gold: Codes
    words: NDArray[np.int64]
    vectors: Vectors
    columns: Mapping[str, NDArray[np.object_]]

    def part(self, rows: NDArray[np.int64]) -> RowFacts:
        """Those rows alone, by their positions."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return RowFacts(
            ids=self.ids[rows],
            gold=self.gold[rows],
            words=self.words[rows],
            vectors=self.vectors[rows],
            columns=columns,
        )


@dataclass(frozen=True, eq=False)
class Given(ReadOnlyArrays):
    """An annotator's labels of the rows of a split: codes (N,), -1 for none; class probabilities (N, K), nan for a row
    without, None where no row has any.
    """

    codes: Codes
    probabilities: Floats | None

    def part(self, rows: NDArray[np.int64]) -> Given:
        """Those rows alone, by their positions."""
        return Given(self.codes[rows], None if self.probabilities is None else self.probabilities[rows])


@dataclass(frozen=True, eq=False)
class TrainFacts(ReadOnlyArrays):
    """All train rows: ids, gold codes (N,) (-1: none), and vectors, of which those are read that are asked for."""

    ids: TrainIds
    gold: Codes
    vectors: Vectors | StoredVectors


@dataclass(frozen=True, eq=False)
class OnTrain(ReadOnlyArrays):
    """An annotator's labels of all train rows, as in Given; of probabilities those are read that are asked for."""

    codes: Codes
    probabilities: Floats | StoredProbabilities | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """The study, and by split what is known of rows and what annotators said of them.

    rows: of `test` and `validation` those with gold, in the order of study.test and study.validation; train: all.
    given: by split and annotator (gold left out), of the same rows; on_train: by annotator.
    smaller: students of fewer train rows, where there are some.
    distilled: what the student says that learned from the chosen ensemble, where there is one.
    edited: what students said of edited texts of some test rows (edited_texts.py), where some were edited.
    engine: what computes much, where not this process alone.
    """

    study: Study
    rows: Mapping[str, RowFacts]
    train: TrainFacts
    given: Mapping[str, Mapping[str, Given]]
    on_train: Mapping[str, OnTrain]
    smaller: tuple[SmallerRuns, ...] = ()
    distilled: Run | None = None
    edited: pd.DataFrame | None = None
    engine: Engine | None = None

    @property
    def settings(self) -> ExplainSettings:
        """The section `explain` of params.yaml."""
        return self.study.settings.explain

    def on(self, rows: NDArray[np.int64]) -> Evidence:
        """The same with some of the test rows alone, by their positions; what was learned from stays as it was."""
        test = {"test": self.rows["test"].part(rows)}
        given = {"test": {name: of.part(rows) for name, of in self.given["test"].items()}}
        study = self.study.on(rows)
        smaller = tuple(of.on(rows, study.test.gold) for of in self.smaller)
        edited = None if self.edited is None else self.edited[self.edited["id"].isin(study.test.ids)]
        here = replace(self, study=study, smaller=smaller, edited=edited)
        return replace(here, rows={**self.rows, **test}, given={**self.given, **given})


def load_evidence(study: Study, prepared: Prepared, labels: Path, vectors: Path) -> Evidence:
    """Read what the study has not read: texts, vectors and the annotators' probabilities; of train rows, of which there
    may be millions, what is asked for, when it is.

    Raises LabelRiskError for a damaged file, and where vectors lack a row.
    """
    ids = dict(zip(SPLITS, (study.test.ids, study.validation.ids), strict=True))
    facts = {split: _facts(study, prepared, split, of, vectors) for split, of in ids.items()}
    train = TrainFacts(study.train.ids, study.train.of_all(), StoredVectors(vectors, study.train.ids))
    given: dict[str, dict[str, Given]] = {split: {} for split in SPLITS}
    on_train = {}
    for name in study.annotators_on_test:
        others, codes, probabilities = read_train_labels(labels / f"{name}.parquet", study.train.ids, study.classes)
        on_train[name] = OnTrain(codes, probabilities)
        for split, of in ids.items():
            given[split][name] = _given(others.filter(pc.equal(others["split"], split)), of, study.classes)
    return Evidence(study=study, rows=facts, train=train, given=given, on_train=on_train)


def _facts(study: Study, prepared: Prepared, split: str, ids: pd.Index[Any], vectors: Path) -> RowFacts:
    rows = prepared.split(split).set_index("id").loc[ids]
    return RowFacts(
        ids=ids,
        gold=codes_of(rows["gold"], study.classes),
        words=np.array([len(text.split()) for text in rows["text"]], dtype=np.int64),
        vectors=read_vectors(vectors, split, ids),
        columns=prepared.slices(ids),
    )


def _given(answers: pa.Table, ids: pd.Index[Any], classes: tuple[str, ...]) -> Given:
    """The answers to rows `ids`; a row that was not asked about has no label."""
    places = pd.Index(answers["id"].to_pandas()).get_indexer(ids)
    codes = codes_of(answers["label"].to_pandas(), classes)
    codes = np.where(places < 0, NO_LABEL, codes[places]) if len(codes) else places
    if "probabilities" not in answers.column_names or answers["probabilities"].null_count == len(answers):
        return Given(codes, None)
    probabilities = distributions(answers["probabilities"], len(classes))[places]
    probabilities[places < 0] = np.nan
    return Given(codes, probabilities)
