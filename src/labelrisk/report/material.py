"""What the rows that matter are found in: the evidence of all explanations, and the annotators' answers as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelrisk.comparison.train_rows import Located, TrainIds, column_batches
from labelrisk.explanations.evidence import Evidence
from labelrisk.report.study_votes import Votes, seed_votes


@dataclass(frozen=True, eq=False)
class Material:
    """evidence: the study and its rows; answers: reads columns of an annotator's answers to all train rows."""

    evidence: Evidence
    answers: Callable[[str, Sequence[str]], pd.DataFrame]

    @cached_property
    def votes(self) -> Mapping[str, Votes]:
        """What the students of each source say of the test rows."""
        return seed_votes(self.evidence.study)


def train_answers(labels: Path, ids: TrainIds, annotator: str, columns: Sequence[str]) -> pd.DataFrame:
    """The column `label` and others of all train rows, None where there is nothing."""
    path = labels / f"{annotator}.parquet"
    located, parts = Located(ids, path), []
    for batch in column_batches(path, ["id", "split", "label"], columns):
        rows = batch.filter(pc.equal(batch["split"], "train"))
        located.take(rows["id"])
        parts.append(rows.drop_columns(["id", "split"]))
    found: pd.DataFrame = pa.Table.from_batches(parts).to_pandas()
    return found.set_axis(located.places()).reindex(ids.every).reindex(columns=["label", *columns])
