"""annotate: one annotator's labels for every row, with a status, and probabilities where there are any."""

from __future__ import annotations

from pathlib import Path

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.contract import Asking, Task
from labelrisk.annotators.kinds import Annotator
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import write_json
from labelrisk.labels.ballots import write_ballots
from labelrisk.labels.paid_files import note_paid_file
from labelrisk.labels.totals import totals
from labelrisk.labels.withheld_replies import withhold_replies
from labelrisk.params import Settings
from labelrisk.settings.chat import EMBEDDED
from labelrisk.sources.servable import refuse_unpayable, refuse_unranked


def run(
    settings: Settings, annotator: str, prepared: Path, cache: Path, out: Path, ballots: Path, metrics: Path
) -> None:
    """Write the labels of one annotator for the rows of all splits, in their order, the same as ballots, and totals.

    Labels that were paid for are noted in the list that git keeps.  Where texts must not leave, no reply is written.
    """
    declared: Annotator = settings.annotators[annotator]
    asking = Asking(settings=settings.annotate, cache=cache, codebook=Path(settings.codebook))
    task = Task(name=annotator, prepared=Prepared(prepared), ballots=ballots.parent, asking=asking)
    paid = declared if isinstance(declared, ChatAnnotator) and declared.base_url != EMBEDDED else None
    if paid:
        _refuse_useless_labels(settings, annotator, task.prepared)
    declared.write_labels(task, out)
    if not settings.share.texts:
        withhold_replies(out)
    if paid:
        note_paid_file(annotator, out, paid.model, paid.base_url)
    write_ballots(out, ballots)
    write_json(totals(out, isinstance(declared, ChatAnnotator)), metrics)


def _refuse_useless_labels(settings: Settings, annotator: str, prepared: Prepared) -> None:
    """Before anything is paid: labels that a source which is about them could do nothing with."""
    sources = settings.sources_about(annotator)
    refuse_unranked(sources, settings.without_probabilities(len(prepared.classes)), "params.yaml")
    golds = prepared.split("train", ["gold"])["gold"]
    refuse_unpayable(settings.sources, sources, len(golds), int(golds.notna().sum()), "params.yaml")
