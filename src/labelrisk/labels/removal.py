"""Remembered labels, removed together with the answers that they were made of."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from labelrisk.cache.calls import CallCache
from labelrisk.parquet_parts import in_parts


def forget_labels(folder: Path, annotators: Sequence[str | None], calls: CallCache) -> None:
    """Remove the remembered labels of these annotators, and of others who may have shared their answers.

    None among the annotators: nobody knows who asked for some of the answers.
    """
    if not folder.is_dir():
        return
    names = {path.name.removesuffix(".revisions") for path in folder.iterdir() if path.is_dir()}
    for name in names:
        if None in annotators or name in annotators or not _all_answered(folder / name / "labels.parquet", calls):
            for path in (folder / name, folder / f"{name}.revisions"):
                if path.exists():
                    shutil.rmtree(path)


def _all_answered(labels: Path, calls: CallCache) -> bool:
    """Whether each label is of one answer that is still there; labels of several answers can't be told."""
    try:
        with in_parts(labels) as file:
            for batch in file.iter_batches(columns=["call"]):
                keys = batch.column("call").to_pylist()
                if None in keys or not all(calls.has(bytes.fromhex(key)) for key in sorted(keys)):
                    return False
    except (OSError, LookupError, pa.ArrowException):
        return False
    return True
