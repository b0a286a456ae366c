"""filter: one label source, from an annotator's labels, gold, a selection and an action, or noise."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from labelrisk.corpora.prepared import Prepared
from labelrisk.files import write_parquet
from labelrisk.params import Settings
from labelrisk.sources.building import build_source, validation_rows


def run(settings: Settings, source: str, prepared: Path, labels: Path, out: Path) -> None:
    """Write the rows that students of this source learn from, and those that choose their best checkpoint."""
    declared = settings.sources[source]
    answers = pd.read_parquet(labels)
    rows_of = Prepared(prepared)
    of = {split: answers[answers["split"] == split].reset_index(drop=True) for split in ("train", "validation")}
    rows = build_source(source, declared, rows_of.split("train"), of["train"], rows_of.classes, settings.filter.seed)
    checks = validation_rows(declared, settings.filter.validation_labels, rows_of.split("validation"), of["validation"])
    write_parquet(pd.concat([rows.assign(split="train"), checks.assign(split="validation")], ignore_index=True), out)
