"""filter: one label source, from an annotator's labels, gold, a selection and an action, or noise."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from labelrisk.files import read_json, write_parquet
from labelrisk.settings import Settings
from labelrisk.sources.building import build_source, validation_rows


def run(settings: Settings, source: str, prepared: Path, labels: Path, out: Path) -> None:
    """Write the rows that students of this source learn from, and those that choose their best checkpoint."""
    declared = settings.sources[source]
    answers = pd.read_parquet(labels)
    train = pd.read_parquet(prepared / "train.parquet")
    validation = pd.read_parquet(prepared / "validation.parquet")
    classes = read_json(prepared / "labels.json")
    of = {split: answers[answers["split"] == split].reset_index(drop=True) for split in ("train", "validation")}
    rows = build_source(source, declared, train, of["train"], classes, settings.filter.seed)
    checks = validation_rows(declared, settings.filter.validation_labels, validation, of["validation"])
    write_parquet(pd.concat([rows.assign(split="train"), checks.assign(split="validation")], ignore_index=True), out)
