"""The annotator of kind `chat` as a section of params.yaml."""

from __future__ import annotations

from pathlib import Path
from string import ascii_uppercase
from typing import Literal

from labelrisk.annotators.contract import Task
from labelrisk.codebook import Codebook, read_codebook
from labelrisk.errors import LabelRiskError
from labelrisk.settings.chat import ChatSettings


class ChatAnnotator(ChatSettings):
    """A model behind an OpenAI-compatible endpoint, or the embedded model behind the same client."""

    kind: Literal["chat"]  # a model behind an OpenAI-compatible endpoint

    def gives_probabilities(self, classes: int) -> bool:
        """By its confidence method; log-probabilities are those of a code of one token."""
        return self.confidence != "none" and (self.confidence != "logprobs" or classes <= len(ascii_uppercase))

    def write_labels(self, task: Task, out: Path) -> None:
        """Write the labels file (see Labeller), asking for what is not known yet."""
        from labelrisk.annotators.chat.labeller import ChatLabeller
        from labelrisk.annotators.chat.run import label_rows

        assert task.asking is not None
        codebook = self.codebook(task.name, task.asking.codebook)
        label_rows(ChatLabeller(task.name, self, codebook, task.prepared), task, task.asking, out)

    def codebook(self, name: str, of_study: Path) -> Codebook:
        """The codebook that this annotator reads.

        Raises LabelRiskError when it has other labels than the study's.
        """
        codebook = read_codebook(Path(self.reads))
        if codebook.names != read_codebook(of_study).names:
            raise LabelRiskError(
                f"{self.reads}, which annotators.{name} reads, has other labels than {of_study}; "
                "both must name the same labels in the same order"
            )
        return codebook
