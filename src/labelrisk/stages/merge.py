"""merge: the labels of a panel, from its members' ballots; a labels file like that of any annotator."""

from __future__ import annotations

from pathlib import Path

from labelrisk.annotators.contract import Task
from labelrisk.annotators.panel import Panel
from labelrisk.corpora.prepared import Prepared
from labelrisk.params import Settings
from labelrisk.undeclared_outputs import prune_files


def run(settings: Settings, panel: str, ballots: Path, prepared: Path, out: Path) -> None:
    """Write the labels of one panel for the rows of all splits, in their order.

    First removes from `ballots` what params.yaml no longer declares: DVC hashes the folder again after this stage, and
    would run it again if a later stage removed them.
    """
    prune_files(ballots, settings.annotators)
    declared: Panel = settings.panels[panel]
    declared.write_labels(Task(name=panel, prepared=Prepared(prepared), ballots=ballots), out)
