"""A panel: the labels of several annotators merged into one, as one more annotator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from labelrisk.annotators.contract import Given, Task, write_answers
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_frame
from labelrisk.labels.answer import Answer
from labelrisk.labels.merging import Codes, merged_answers, votes_of
from labelrisk.settings.merge import Merge
from labelrisk.settings.section import Section
from labelrisk.statistics.class_codes import codes_of


class Panel(Section):
    """Several annotators' labels merged into one."""

    members: Annotated[tuple[str, ...], Field(min_length=2)]  # annotators or second opinions, two at least
    merge: Merge = "majority"  # majority, or weighed by how reliable members are

    @model_validator(mode="after")
    def _members_differ(self) -> Panel:
        if len(set(self.members)) < len(self.members):
            raise ValueError("'members' names an annotator twice; each has one vote")
        return self

    def gives_probabilities(self, classes: int) -> bool:
        """Those of its votes."""
        return True

    def write_labels(self, task: Task, out: Path) -> None:
        """Write the labels file (see Labeller)."""
        assert task.ballots is not None
        ids = pd.Index(task.prepared.rows(["id"])["id"])
        answers = panel_answers(task.name, self, task.ballots, task.prepared.classes, ids)
        write_answers(task, map(Given, answers), out)


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
    frame = read_frame(path, ["id", "label"])
    return ids.get_indexer(pd.Index(frame["id"])).astype(np.int64), codes_of(frame["label"], labels)
