"""reannotate: a second opinion on the train rows that an annotator doubts; a labels file like that of any annotator."""

from __future__ import annotations

import sys
from pathlib import Path

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.contract import Asking, Task
from labelrisk.corpora.prepared import Prepared
from labelrisk.files import write_json
from labelrisk.labels.paid_files import note_paid_file
from labelrisk.labels.totals import totals
from labelrisk.labels.withheld_replies import withhold_replies
from labelrisk.params import Settings
from labelrisk.second_opinions.asked import asked_rows
from labelrisk.second_opinions.sheets import check_lacking, refuse_absent_sheet, worded_for
from labelrisk.settings.chat import EMBEDDED


def run(settings: Settings, opinion: str, prepared: Path, labels: Path, cache: Path, out: Path, metrics: Path) -> None:
    """Write the labels of one second opinion: a row for each row of all splits, in their order, and totals.

    labels: the file of the annotator that is doubted.  Rows that are not asked have the status `not_asked`.  Labels
    that were paid for are noted in the list that git keeps.  Where texts must not leave, no reply is written.
    """
    declared, rows = settings.second_opinions[opinion], Prepared(prepared)
    refuse_absent_sheet(opinion, declared)
    asked = asked_rows(opinion, declared, rows, labels, settings.filter.seed)
    asking = Asking(settings=settings.annotate, cache=cache, codebook=Path(settings.codebook))
    with worded_for(opinion):
        declared.ask.write_labels(Task(name=opinion, prepared=rows, asking=asking, asked=asked), out)
    if not settings.share.texts:
        withhold_replies(out)
    if isinstance(declared.ask, ChatAnnotator) and declared.ask.base_url != EMBEDDED:
        note_paid_file(opinion, out, declared.ask.model, declared.ask.base_url)
    if sentence := check_lacking(opinion, declared, out):
        print(sentence, file=sys.stderr)
    write_json(totals(out, isinstance(declared.ask, ChatAnnotator)), metrics)
