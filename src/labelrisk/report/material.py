"""What the rows that matter are found in: the evidence of all explanations, and the annotators' answers as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from labelrisk.explanations.evidence import Evidence
from labelrisk.files import read_parquet
from labelrisk.report.study_votes import Votes, seed_votes

ABOUT_DOUBT = ["entropy", "probabilities", "votes"]


@dataclass(frozen=True, eq=False)
class Material:
    """evidence: the study and its rows; answers: reads an annotator's answers to the train rows, in their order."""

    evidence: Evidence
    answers: Callable[[str], pd.DataFrame]

    @cached_property
    def votes(self) -> Mapping[str, Votes]:
        """What the students of each source say of the test rows."""
        return seed_votes(self.evidence.study)


def train_answers(labels: Path, ids: pd.Index, annotator: str) -> pd.DataFrame:
    """The columns `label, entropy, probabilities, votes` of train rows, None where there is nothing."""
    path = labels / f"{annotator}.parquet"
    found: pd.DataFrame = read_parquet(path, ["id", "split", "label"], ABOUT_DOUBT).to_pandas()
    train = found[found["split"] == "train"].set_index("id")
    return train.reindex(ids).reindex(columns=["label", *ABOUT_DOUBT]).reset_index(drop=True)
