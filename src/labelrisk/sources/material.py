"""What sources are made of: the prepared rows, all annotators' answers to them, and their vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelrisk.errors import LabelRiskError
from labelrisk.files import undamaged
from labelrisk.parquet_parts import in_parts
from labelrisk.repairs.contract import Codes
from labelrisk.sources.doubts import matrix
from labelrisk.statistics.class_codes import codes_of

ABOUT_ROWS = ("label", "status", "entropy", "probabilities", "votes", "sampling_probability")
Answers = Callable[[str, str], pd.DataFrame]  # of an annotator, to the rows of a split


@dataclass(frozen=True, eq=False)
class Material:
    """train, validation: `id, gold`; answers: `label, status, entropy, probabilities, votes` in the same order.

    vectors: reads those of the train rows, (N, D); they are read where a source needs them.
    candidate_mass: of the smallest set of labels that counts as plausible.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    classes: tuple[str, ...]
    answers: Answers
    vectors: Callable[[], NDArray[np.floating]]
    candidate_mass: float = 0.9

    @cached_property
    def gold(self) -> Codes:
        """Codes of the train rows' gold labels, (N,), -1 where there is none."""
        return codes_of(self.train["gold"], self.classes)

    def labels_of(self, annotator: str) -> Codes:
        """Codes of an annotator's labels of the train rows, (N,), -1 where it gave none."""
        return codes_of(self.answers(annotator, "train")["label"], self.classes)

    def probabilities_of(self, annotator: str, split: str) -> NDArray[np.float64]:
        """Its class probabilities, (N, K); NaN where it gave none."""
        return matrix(self.answers(annotator, split)["probabilities"], len(self.classes))


def read_answers(path: Path, split: str, ids: pd.Series, columns: Sequence[str] = ABOUT_ROWS) -> pd.DataFrame:
    """An annotator's answers to the rows of one split, in their order, from its labels file.

    Names are categories and lists are Arrow's: of each row some bytes are in memory.
    Raises LabelRiskError for a damaged file, and one that is about other rows; FileNotFoundError where there is none.
    """
    path.stat()  # of what is not there the parser does not say what
    asked = pa.array(ids, from_pandas=True).cast(pa.string())
    parts: list[pa.Table] = []
    rows, same = 0, True
    with undamaged(path):
        for batch in in_parts(path).iter_batches(columns=["id", "split", *columns]):
            batch.validate(full=True)
            table = pa.Table.from_batches([batch])
            missing = [name for name in columns if name not in table.column_names]
            if missing:
                raise ValueError(f"it has no column '{missing[0]}'")
            table = table.filter(pc.equal(table["split"], split))
            same = same and table["id"].combine_chunks().cast(pa.string()).equals(asked.slice(rows, len(table)))
            rows += len(table)
            parts.append(_compact(table.select(columns)))
    if not same or rows != len(ids):
        raise LabelRiskError(
            f"{path} has other {split} rows than were prepared ({rows} for {len(ids)}); remove it and run "
            "`dvc repro`, which labels them"
        )
    found: pd.DataFrame = pa.concat_tables(parts).unify_dictionaries().to_pandas(types_mapper=_as_arrow)
    return found


def _compact(table: pa.Table) -> pa.Table:
    for place, name in enumerate(table.column_names):
        if pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type):
            table = table.set_column(place, name, table[name].dictionary_encode())
    return table


def _as_arrow(kind: pa.DataType) -> pd.ArrowDtype | None:
    return pd.ArrowDtype(kind) if pa.types.is_list(kind) else None
