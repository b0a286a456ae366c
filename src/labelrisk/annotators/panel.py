"""A panel: the labels of several annotators merged into one, as one more annotator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.annotators.answers import Answer
from labelrisk.annotators.merging import Codes, codes_of, merged_answers, votes_of
from labelrisk.errors import LabelRiskError
from labelrisk.settings import Panel


def panel_answers(name: str, panel: Panel, ballots: Path, labels: Sequence[str], ids: pd.Index) -> Iterator[Answer]:
    """Answers for the rows `ids`, in that order.  A member without a label on a row does not vote there.

    Raises LabelRiskError for a member whose ballots are not there.
    """
    coders = [_member(name, member, ballots / f"{member}.parquet", labels, ids) for member in panel.members]
    return merged_answers(panel.merge, votes_of(coders), len(ids), labels)


def _member(name: str, member: str, path: Path, labels: Sequence[str], ids: pd.Index) -> tuple[Codes, Codes]:
    """Positions in `ids` and codes of a member's labels; -1 for none."""
    if not path.is_file():
        raise LabelRiskError(
            f"{path} is not there: panels.{name}.members names {member}, which has not labelled yet; "
            f"run `dvc repro annotate@{member}`"
        )
    frame = pd.read_parquet(path, columns=["id", "label"])
    return ids.get_indexer(pd.Index(frame["id"])).astype(np.int64), codes_of(frame["label"], labels)
