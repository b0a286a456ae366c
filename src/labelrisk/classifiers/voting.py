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
    from labelrisk.classifiers.openvino_graph import GraphReader
    from labelrisk.encoders.tokens import Tokens
    from labelrisk.students.reading import Reader


class Reading(NamedTuple):
    """Class probabilities (N, K) of texts, and which of these have as many tokens as are read, or more, (N,)."""

    probabilities: NDArray[np.float64]
    full: NDArray[np.bool_]


class Classifier:
    """Students that vote by their mean probabilities, as they are in the folder: no network, no code of others.

    All of them are held: the memory is that of one student times their number.
    """

    def __init__(self, folder: Path, batch: int | None = None, graph: Path | None = None) -> None:
        """batch: tokens that are read at once, None for what suits the device; graph: what `labelrisk export --format
        openvino` made of the folder; it is read first, and students what it is unsure of.

        Raises LabelRiskError for a folder that holds no classifier, or a damaged one.
        """
        form = read_form(folder)
        from labelrisk.encoders.loading import load_tokenizer
        from labelrisk.students.finished import load_student
        from labelrisk.students.reading import Reader

        self.folder, self.classes, self.max_tokens = folder, form.classes, form.max_tokens
        self._graph = None
        if graph is not None:
            from labelrisk.classifiers.openvino_graph import GraphReader

            self._graph = GraphReader(graph, batch)
            self._graph.check(graph, folder)
        self._members: list[tuple[Any, Reader | GraphReader]] = []
        for member in form.members:
            path = folder / member
            student = load_student(path)
            if student.config.num_labels != len(form.classes):
                raise LabelRiskError(f"{path} is a model of other classes than {FILE} names; run `dvc checkout`")
            self._members.append((load_tokenizer(str(path), None), Reader(student, batch)))

    def __len__(self) -> int:
        """How many models read a text: what a prediction costs.  A graph is one."""
        return len(self._members) if self._graph is None else 1

    @property
    def computes(self) -> str:
        """On what, and in which types."""
        readers = [reader for _, reader in self._members] + ([self._graph] if self._graph is not None else [])
        return " ".join(dict.fromkeys(sorted(reader.computes for reader in readers)))

    @property
    def told(self) -> str | None:
        """Of the graph that is read first, what was measured; None where there is none."""
        return None if self._graph is None else self._graph.form.told

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
        if self._graph is None:
            return self._mean(self._members, texts, done)
        found = self._mean([(self._members[0][0], self._graph)], texts, done)
        reread(
            found.probabilities, self._graph.form.margin, texts,
            lambda close: self._mean(self._members, close, lambda texts: None).probabilities,
        )  # fmt: skip
        return found

    def _mean(
        self, members: Sequence[tuple[Any, Reader | GraphReader]], texts: Sequence[str], done: Callable[[int], object]
    ) -> Reading:
        total, full = np.zeros((len(texts), len(self.classes))), np.zeros(len(texts), dtype=bool)
        tokens: dict[str, Tokens] = {}  # students of one encoder read the same tokens
        for tokenizer, reader in members:
            key = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else str(len(tokens))
            if key not in tokens:
                tokens[key] = self._tokens(tokenizer, texts)
                full |= tokens[key].lengths >= self.max_tokens
            total += reader.probabilities(tokens[key], done)
        return Reading(total / len(members), full)

    def _tokens(self, tokenizer: Any, texts: Sequence[str]) -> Tokens:
        from labelrisk.encoders.tokens import beginnings, tokenise

        return tokenise(tokenizer, beginnings(tokenizer, texts, self.max_tokens), self.max_tokens)


def reread(
    says: NDArray[np.float64], margin: float, texts: Sequence[str], students: Callable[[list[str]], NDArray[np.float64]]
) -> NDArray[np.int64]:
    """Let students say anew, in says (N, K), what is closer than the margin; returns which texts these are."""
    close = np.flatnonzero(margins(says) < margin)
    if len(close):
        says[close] = students([texts[place] for place in close.tolist()])
    return close


def margins(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """By how much the likeliest class of each row (N, K) is ahead of the next, (N,)."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    ranked = np.partition(probabilities, -2, axis=1)
    return np.asarray(ranked[:, -1] - ranked[:, -2])


def load(folder: str | os.PathLike[str]) -> Classifier:
    """The classifier of a folder that the stage `ensemble` or `distil` wrote."""
    return Classifier(Path(folder))
