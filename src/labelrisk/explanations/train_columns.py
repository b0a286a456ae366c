"""What is large of train rows, of which there may be millions: read for the rows that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelrisk.comparison.train_rows import Located, TrainIds, column_batches
from labelrisk.comparison.words import class_places, codes_in
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.vectors.vectors_file import Vectors, read_vectors

TRAIN, PROBABILITIES = "train", "probabilities"


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """The sentence vectors of all train rows, as in the folder that `embed` wrote: stored[places] reads some."""

    folder: Path
    ids: TrainIds

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> Vectors:
        """(n, D), of different rows.  Raises LabelRiskError where the folder lacks one."""
        return read_vectors(self.folder, TRAIN, self.ids.some(rows))


@dataclass(frozen=True, eq=False)
class StoredProbabilities:
    """An annotator's class probabilities of all train rows, as in its labels file: stored[places] reads some."""

    path: Path
    ids: TrainIds
    classes: int

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> Floats:
        """(n, K), of different rows; nan for one without."""
        asked = pa.array(self.ids.some(rows), pa.large_string())
        found = np.full((len(asked), self.classes), np.nan)
        for batch in column_batches(self.path, ["id", "split", PROBABILITIES]):
            places = pc.index_in(batch["id"].cast(asked.type), value_set=asked)
            is_asked = pc.and_(pc.equal(batch["split"], TRAIN), pc.is_valid(places))
            some = batch.filter(is_asked)
            found[places.filter(is_asked).to_numpy(zero_copy_only=False)] = distributions(
                some[PROBABILITIES], self.classes
            )
        return found


def read_train_labels(
    path: Path, ids: TrainIds, classes: tuple[str, ...]
) -> tuple[pa.Table, Codes, StoredProbabilities | None]:
    """The rows of a labels file that are of other splits, and of the train rows the codes, (N,), and the probabilities
    where any row has some.
    """
    lookup, located, has_any = class_places(classes), Located(ids, path), False
    codes, others = [np.empty(0, dtype=np.int32)], []
    for batch in column_batches(path, ["id", "split", "label"], [PROBABILITIES]):
        is_train = pc.equal(batch["split"], TRAIN)
        rows = batch.filter(is_train)
        located.take(rows["id"])
        codes.append(codes_in(rows["label"], lookup))
        has_any |= PROBABILITIES in rows.schema.names and rows[PROBABILITIES].null_count < len(rows)
        others.append(batch.filter(pc.invert(is_train)))
    places = located.places()
    known = places >= 0
    found = np.full(len(ids), NO_LABEL, dtype=np.int32)
    found[places[known]] = np.concatenate(codes)[known]
    stored = StoredProbabilities(path, ids, len(classes)) if has_any else None
    return pa.Table.from_batches(others), found, stored


def distributions(column: pa.Array | pa.ChunkedArray, classes: int) -> Floats:
    """Lists of numbers as rows, (N, K); nan for none."""
    found = np.full((len(column), classes), np.nan)
    found[np.asarray(column.is_valid())] = np.asarray(pc.list_flatten(column)).reshape(-1, classes)
    return found
