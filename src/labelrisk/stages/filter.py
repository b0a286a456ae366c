"""filter: one label source, from an annotator's labels, gold, a selection and an action, noise, or a control."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from labelrisk.corpora.prepared import Prepared
from labelrisk.files import write_parquet, written_aside
from labelrisk.params import Settings
from labelrisk.sources.building import build_source, validation_rows
from labelrisk.sources.controls import resolved


def run(settings: Settings, source: str, prepared: Path, labels: Path, out: Path) -> None:
    """Write, for each seed, the rows that a student of this source learns from, and those that choose its checkpoint.

    The files <seed>.parquet of the folder differ where something is drawn, else they are the same.
    """
    declared, how = resolved(settings.sources, source), settings.filter
    answers = pd.read_parquet(labels)
    rows = Prepared(prepared)
    train, validation, classes = rows.split("train"), rows.split("validation"), rows.classes
    of = {split: answers[answers["split"] == split].reset_index(drop=True) for split in ("train", "validation")}
    checks = validation_rows(declared, how.validation_labels, validation, of["validation"]).assign(split="validation")
    with written_aside(out) as folder:
        for student in settings.seeds:
            built = build_source(source, declared, train, of["train"], classes, seed=how.seed, student=student)
            write_parquet(
                pd.concat([built.assign(split="train"), checks], ignore_index=True), folder / f"{student}.parquet"
            )
