"""The labels files of annotators, read once: what they said of train and of other rows, and what that cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.train_rows import Located, TrainIds, column_batches, refuse_twice
from labelrisk.comparison.words import class_places, codes_in
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, Floats

TRAIN = "train"
NOT_ASKED = "not_asked"
COLUMNS = ["id", "split", "label", "status", "cost"]


@dataclass(frozen=True, eq=False)
class Answers(ReadOnlyArrays):
    """An annotator's labels file.

    on_train: codes of its labels of all train rows, -1 for none; costs_on_train: what each cost, nan where unknown;
    (N,) each.  others: `id, split, label` of the rows of other splits.  costs: of all rows that it was asked about.
    """

    on_train: Codes
    costs_on_train: Floats
    others: pd.DataFrame
    costs: Floats


def read_answers(path: Path, train: TrainIds, classes: list[str]) -> Answers:
    """Read one labels file, some rows at a time.

    Raises LabelRiskError for a damaged one, and where a row stands in it twice.
    """
    lookup, located = class_places(classes), Located(train, path)
    codes, costs, asked, others = [], [], [], [pa.table({name: pa.array([], pa.string()) for name in COLUMNS[:3]})]
    for batch in column_batches(path, COLUMNS):
        cost = batch["cost"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        asked.append(cost[pc.not_equal(batch["status"], NOT_ASKED).to_numpy(zero_copy_only=False)])
        is_train = pc.equal(batch["split"], TRAIN)
        rows = batch.filter(is_train)
        located.take(rows["id"])
        codes.append(codes_in(rows["label"], lookup))
        costs.append(cost[is_train.to_numpy(zero_copy_only=False)])
        some = pa.Table.from_batches([batch.filter(pc.invert(is_train)).select(COLUMNS[:3])])
        others.append(some.cast(others[0].schema))
    places = located.places()
    known = places >= 0
    on_train = np.full(len(train), NO_LABEL, dtype=np.int32)
    costs_on_train = np.full(len(train), np.nan)
    if len(places):
        on_train[places[known]] = np.concatenate(codes)[known]
        costs_on_train[places[known]] = np.concatenate(costs)[known]
    frame = pa.concat_tables(others).to_pandas()
    twice = frame.duplicated(["id", "split"])
    if twice.any():
        refuse_twice(path, frame["id"][twice].iloc[0])
    return Answers(on_train, costs_on_train, frame, np.concatenate([np.empty(0), *asked]))
