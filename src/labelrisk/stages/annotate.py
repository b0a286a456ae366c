"""annotate: one annotator's labels for every row, with a status, and probabilities where there are any."""

from __future__ import annotations

from pathlib import Path

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.contract import Asking, Task
from labelrisk.annotators.kinds import Annotator
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import write_json
from labelrisk.labels.ballots import write_ballots
from labelrisk.labels.totals import totals
from labelrisk.params import Settings


def run(
    settings: Settings, annotator: str, prepared: Path, cache: Path, out: Path, ballots: Path, metrics: Path
) -> None:
    """Write the labels of one annotator for the rows of all splits, in their order, the same as ballots, and totals."""
    declared: Annotator = settings.annotators[annotator]
    asking = Asking(settings=settings.annotate, cache=cache, codebook=Path(settings.codebook))
    declared.write_labels(Task(name=annotator, prepared=Prepared(prepared), ballots=ballots.parent, asking=asking), out)
    write_ballots(out, ballots)
    write_json(totals(out, isinstance(declared, ChatAnnotator)), metrics)
