"""The files that students learn from: texts pass through, and files with the same content are one on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from labelrisk.corpora.prepared import Prepared
from labelrisk.corpora.row_groups import RowGroupsWriter
from labelrisk.sources.built import BuiltSource


class TrainingFiles:
    """Writes <seed>.parquet into a folder: train rows as they were built, then the rows that choose a checkpoint."""

    def __init__(self, folder: Path, prepared: Prepared, checks: pd.DataFrame) -> None:
        """checks: of validation_rows."""
        self._folder, self._prepared = folder, prepared
        self._checks = checks
        self._written: dict[bytes, Path] = {}

    def write(self, seed: int, built: BuiltSource) -> None:
        """The file of one seed."""
        path, digest = self._folder / f"{seed}.parquet", built.digest()
        if digest in self._written:
            _put_again(self._written[digest], path)
            return
        schema = self._schema(built)
        with RowGroupsWriter(path, schema) as file:
            for columns in self._columns(built):
                size = len(columns["id"])
                absent = {field.name: pa.nulls(size, field.type) for field in schema if field.name not in columns}
                file.add(columns | absent)
        self._written[digest] = path

    def _columns(self, built: BuiltSource) -> Iterator[dict[str, pa.Array]]:
        checks = {
            str(name): pa.array(self._checks[name].astype(object), pa.string(), from_pandas=True)
            for name in self._checks
        }
        start = {"train": 0, "validation": 0}
        for split, texts in self._prepared.parts(start):
            at = slice(start[split], start[split] + len(texts))
            start[split] = at.stop
            of = built.arrays(at) if split == "train" else {name: array[at] for name, array in checks.items()}
            yield {"id": texts["id"], "text": texts["text"], "split": pa.repeat(split, len(texts))} | of

    def _schema(self, built: BuiltSource) -> pa.Schema:
        """That of a frame of all rows: of one with a row of each kind, since types hang on what is missing where."""
        train = built.frame(built.labels.kinds())
        checks = self._checks.drop_duplicates()
        frames = [
            frame.assign(split=split).set_axis(pd.RangeIndex(len(frame)))
            for frame, split in ((train, "train"), (checks, "validation"))
        ]
        for frame in frames:
            for name in ("text", "id"):
                frame.insert(0, name, pd.Series(["a"] * len(frame), dtype="str"))
        return pa.Schema.from_pandas(pd.concat(frames, ignore_index=True), preserve_index=False)


def _put_again(written: Path, path: Path) -> None:
    """One file under two names, where the disk takes that."""
    try:
        os.link(written, path)
    except OSError:
        shutil.copyfile(written, path)
