"""The annotator of kind `gold`: the human labels themselves, as one more annotator."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from labelrisk.annotators.contract import Given, Task, write_answers
from labelrisk.labels.answer import Answer
from labelrisk.settings.section import Section


class GoldAnnotator(Section):
    """The gold labels of the corpus; a row without one is `missing`."""

    kind: Literal["gold"]  # the human labels of the corpus
    reads: str  # the codebook

    def gives_probabilities(self, classes: int) -> bool:
        """People's labels have none."""
        return False

    def write_labels(self, task: Task, out: Path) -> None:
        """Write the labels file (see Labeller)."""
        golds = task.prepared.rows(["gold"])["gold"]
        answers = (Answer("ok", gold) if isinstance(gold, str) else Answer("missing") for gold in golds)
        write_answers(task, map(Given, answers), out)
