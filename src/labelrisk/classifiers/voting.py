"""Students that vote on texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.classifiers.folders import FILE, read_form
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.encoders.tokens import Tokens


class Reading(NamedTuple):
    """Class probabilities (N, K) of texts, and which of these have as many tokens as are read, or more, (N,)."""

    probabilities: NDArray[np.float64]
    full: NDArray[np.bool_]


class Classifier:
    """Students that vote by their mean probabilities, as they are in the folder: no network, no code of others.

    All of them are held: the memory is that of one student times their number.
    """

    def __init__(self, folder: Path, batch: int | None = None) -> None:
        """batch: tokens that are read at once, None for what suits the device.

        Raises LabelRiskError for a folder that holds no classifier, or a damaged one.
        """
        form = read_form(folder)
        from labelrisk.encoders.loading import load_tokenizer
        from labelrisk.students.finished import load_student
        from labelrisk.students.reading import Reader

        self.folder, self.classes, self.max_tokens = folder, form.classes, form.max_tokens
        self._members = []
        for member in form.members:
            path = folder / member
            student = load_student(path)
            if student.config.num_labels != len(form.classes):
                raise LabelRiskError(f"{path} is a model of other classes than {FILE} names; run `dvc checkout`")
            self._members.append((load_tokenizer(str(path), None), Reader(student, batch)))

    def __len__(self) -> int:
        """How many students vote: what a prediction costs."""
        return len(self._members)

    @property
    def computes(self) -> str:
        """On what, and in which types."""
        kinds = sorted({str(reader.model.dtype).removeprefix("torch.") for _, reader in self._members})
        return f"{self._members[0][1].model.device.type} {' '.join(kinds)}"

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The label of each text; the first in class order wins a tie."""
        return [self.classes[code] for code in self.probabilities(texts).argmax(axis=1)]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The mean of the members' class probabilities, (N, K), in the order of `classes`.

        Raises LabelRiskError for a single text in the place of a list, whose letters would be taken for texts, and for
        what is no text.
        """
        if isinstance(texts, str):
            raise LabelRiskError("a list of texts is asked for, not a single text; write [text]")
        for place, text in enumerate(texts):
            if not isinstance(text, str):
                kind = type(text).__name__
                raise LabelRiskError(f"the text at place {place}, from 0 on, is no str but {kind}; give texts alone")
        return self.read(texts).probabilities

    def read(self, texts: Sequence[str], done: Callable[[int], object] = lambda texts: None) -> Reading:
        """The same of what is known to be texts; done: called with how many more texts a member has read."""
        total, full = np.zeros((len(texts), len(self.classes))), np.zeros(len(texts), dtype=bool)
        tokens: dict[str, Tokens] = {}  # students of one encoder read the same tokens
        for tokenizer, reader in self._members:
            key = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else str(len(tokens))
            if key not in tokens:
                tokens[key] = self._tokens(tokenizer, texts)
                full |= tokens[key].lengths >= self.max_tokens
            total += reader.probabilities(tokens[key], done)
        return Reading(total / len(self._members), full)

    def _tokens(self, tokenizer: Any, texts: Sequence[str]) -> Tokens:
        from labelrisk.encoders.tokens import beginnings, tokenise

        return tokenise(tokenizer, beginnings(tokenizer, texts, self.max_tokens), self.max_tokens)


def load(folder: str | os.PathLike[str]) -> Classifier:
    """The classifier of a folder that the stage `ensemble` or `distil` wrote."""
    return Classifier(Path(folder))
