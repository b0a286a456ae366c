"""merge: the labels of a panel, from its members' ballots; a labels file like that of any annotator."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from labelrisk.annotators.labels import LabelledRow, LabelsWriter
from labelrisk.annotators.panel import panel_answers
from labelrisk.comparison.leftovers import prune_files
from labelrisk.corpora.rows import SPLITS
from labelrisk.files import read_json, written_aside
from labelrisk.settings import Settings


def run(settings: Settings, panel: str, ballots: Path, prepared: Path, out: Path) -> None:
    """Write the labels of one panel for the rows of all splits, in their order.

    First removes from `ballots` what params.yaml no longer declares: DVC hashes the folder again after this stage, and
    would run it again if a later stage removed them.
    """
    for path in prune_files(ballots, settings.annotators):
        print(f"removed {path}: params.yaml no longer declares it")
    labels = read_json(prepared / "labels.json")
    ids = {split: pd.read_parquet(prepared / f"{split}.parquet", columns=["id"])["id"] for split in SPLITS}
    rows = [(row, split) for split, column in ids.items() for row in column]
    answers = panel_answers(panel, settings.panels[panel], ballots, labels, pd.Index([row for row, _ in rows]))
    with written_aside(out) as temporary, LabelsWriter(temporary) as writer:
        for (row, split), answer in zip(rows, answers, strict=True):
            writer.write(LabelledRow(row, split, answer))
