"""Students that vote on texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelrisk.classifiers.folders import FILE, read_form
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.encoders.tokens import Tokens

BATCH = 32  # texts that are read at once


class Classifier:
    """Students that vote by their mean probabilities, as they are in the folder: no network, no code of others.

    All of them are held: the memory is that of one student times their number.
    """

    def __init__(self, folder: Path) -> None:
        """Raises LabelRiskError for a folder that holds no classifier, or a damaged one."""
        form = read_form(folder)
        from labelrisk.encoders.loading import load_tokenizer
        from labelrisk.students.finished import load_student

        self.classes, self._max_tokens = form.classes, form.max_tokens
        self._members = []
        for member in form.members:
            path = folder / member
            student = load_student(path)
            if student.config.num_labels != len(form.classes):
                raise LabelRiskError(f"{path} is a model of other classes than {FILE} names; run `dvc checkout`")
            self._members.append((load_tokenizer(str(path), None), student))

    def __len__(self) -> int:
        """How many students vote: what a prediction costs."""
        return len(self._members)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The label of each text; the first in class order wins a tie."""
        return [self.classes[code] for code in self.probabilities(texts).argmax(axis=1)]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The mean of the members' class probabilities, (N, K), in the order of `classes`.

        Raises LabelRiskError for a single text in the place of a list, whose letters would be taken for texts, and for
        what is no text.
        """
        from labelrisk.encoders.tokens import tokenise
        from labelrisk.students.training import predict

        if isinstance(texts, str):
            raise LabelRiskError("a list of texts is asked for, not a single text; write [text]")
        for place, text in enumerate(texts):
            if not isinstance(text, str):
                kind = type(text).__name__
                raise LabelRiskError(f"the text at place {place}, from 0 on, is no str but {kind}; give texts alone")
        total = np.zeros((len(texts), len(self.classes)))
        read: dict[str, Tokens] = {}  # students of one encoder read the same tokens
        for tokenizer, student in self._members:
            key = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else str(len(read))
            if key not in read:
                read[key] = tokenise(tokenizer, texts, self._max_tokens)
            total += predict(student, read[key], BATCH)
        return total / len(self._members)


def load(folder: str | os.PathLike[str]) -> Classifier:
    """The classifier of a folder that the stage `ensemble` or `distil` wrote."""
    return Classifier(Path(folder))
