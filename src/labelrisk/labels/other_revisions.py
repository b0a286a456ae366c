"""Labels of an annotator at other git revisions, row by row: what was paid for there is not asked here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from labelrisk.files import written_aside
from labelrisk.labels.git_revisions import RevisionLabels, revision_labels
from labelrisk.labels.index import LabelsIndex, index_by_call
from labelrisk.labels.labels_file import LabelledRow, labelled_row
from labelrisk.settings.chat import EMBEDDED, ChatSettings


class OtherRevisions:
    """Labels of this annotator at other revisions, looked through only when a row is known nowhere else."""

    def __init__(self, name: str, annotator: ChatSettings, out: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._indexes = [index_by_call(path) for path in sorted(folder.glob("*.parquet"))]
        known = {path.stem for path in folder.glob("*.parquet")}
        self._more: Iterator[RevisionLabels] = iter(())
        if annotator.base_url != EMBEDDED:  # which is free: a fresh clone asks it again rather than refuse to
            self._more = revision_labels(name, out, annotator.model, annotator.base_url, known)

    def find(self, key: str) -> LabelledRow | None:
        """The row with that key at any revision.

        Raises LabelRiskError when it may be at a revision whose labels can't be read.
        """
        wanted = np.array([int(key[:16], 16)], dtype=np.uint64)
        for index in self._all():
            places = index.find(wanted)
            if places[0] >= 0:
                row = index.rows(places).to_pylist()[0]
                if row["call"] == key and row["status"] != "error":
                    return labelled_row(row)
        return None

    def _all(self) -> Iterator[LabelsIndex]:
        yield from list(self._indexes)
        for labels in self._more:
            path = self._folder / f"{labels.hash}.parquet"
            with written_aside(path) as temporary:
                pq.write_table(labels.table, temporary)
            self._indexes.append(index_by_call(path))
            yield self._indexes[-1]
