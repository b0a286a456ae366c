"""A small folder of prepared rows, from frames, without a corpus and the checks at its door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from labelrisk.corpora.prepared import COLUMNS, SPLITS
from labelrisk.files import write_json, write_parquet, written_aside


def write_prepared(
    folder: Path, rows: pd.DataFrame, demonstrations: pd.DataFrame, labels: list[str], origin: dict[str, Any]
) -> None:
    """Write the folder, whole or not at all; rows: with the column `split`."""
    with written_aside(folder) as temporary:
        for name in SPLITS:
            write_parquet(rows.loc[rows["split"] == name, COLUMNS], temporary / f"{name}.parquet")
        write_parquet(demonstrations[COLUMNS], temporary / "demonstrations.parquet")
        write_json(labels, temporary / "labels.json")
        write_json(origin, temporary / "origin.json")
