"""Demonstrations: train rows with gold that are shown in the prompt, never the row that is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.corpora.prepared import Prepared
from labelrisk.corpora.rows import drawn_number
from labelrisk.errors import LabelRiskError
from labelrisk.prompting.prompts import Shown, disarmed
from labelrisk.settings.chat import ChatSettings

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


class Demonstrations:
    """Draws `shots` candidates for a row; a drawn row that is itself asked sees the next one instead.

    candidates: columns `id`, `text`, `gold`, in the order that `candidates_of` gives them; encode: needed for the
    draws `nearest` and `diverse`.
    Raises LabelRiskError when there are too few candidates.
    """

    def __init__(
        self, candidates: pd.DataFrame, annotator: ChatSettings, name: str, encode: Encode | None = None
    ) -> None:
        self._shots = annotator.shots
        self.draw = annotator.draw
        if self._shots and len(candidates) <= self._shots:
            raise LabelRiskError(
                f"params.yaml: annotators.{name}.shots is {self._shots} but train has {len(candidates)} rows with gold "
                "to show; lower it or add gold"
            )
        self._ids = list(candidates["id"])
        self._places = {one: place for place, one in enumerate(self._ids)}
        self._pairs = [
            (disarmed(text), gold) for text, gold in zip(candidates["text"], candidates["gold"], strict=True)
        ]
        self._hashes = np.array([drawn_number(str(annotator.seed), one) for one in self._ids], dtype=np.uint64)
        self._texts = list(candidates["text"])
        self._encode = encode
        self._encoded: Vectors | None = None
        self._drawn: dict[int, list[int]] = {}  # of each sample, for draws that are the same for all rows

    @property
    def _vectors(self) -> Vectors:
        """Of the candidates, made at their first use."""
        if self._encoded is None:
            assert self._encode is not None
            self._encoded = self._encode(self._texts)
        return self._encoded

    def identity(self, samples: int) -> list[Any]:
        """All that decides what rows are shown, for as many samples."""
        if self.differs_by_row:
            return [self._ids, self._pairs]
        return [self._pairs[place] for sample in range(samples) for place in self._same_for_all(sample)]

    @property
    def needs_vectors(self) -> bool:
        """Whether rows must be encoded before they can be shown anything."""
        return self._shots > 0 and self.draw in ("nearest", "diverse")

    @property
    def differs_by_row(self) -> bool:
        """Whether rows see different demonstrations."""
        return self._shots > 0 and self.draw in ("random", "nearest")

    def shown_to(self, asked: str, sample: int = 0, vector: Vectors | None = None) -> Shown:
        """Pairs of text and label for the row with the id `asked`; other samples see other ones."""
        if not self._shots:
            return ()
        if self.draw == "random":
            order = self._shuffled(drawn_number(asked, str(sample)))[: self._shots + 1]
        elif self.draw == "nearest" and vector is not None:
            order = self._nearest(asked, sample, vector)
        else:
            if sample not in self._drawn:
                self._drawn[sample] = self._same_for_all(sample)
            order = self._drawn[sample]
        places = [place for place in order if self._ids[place] != asked][: self._shots]
        if self.draw == "nearest":
            places.reverse()  # the most similar one stands next to the input
        return tuple(self._pairs[place] for place in places)

    def _same_for_all(self, sample: int) -> list[int]:
        if not self._shots:
            return []
        order = self._shuffled(sample) if sample else list(range(len(self._ids)))
        if self.draw == "balanced":  # the first of every class, then the second of every class, ...
            order = self._balanced(order)
        elif self.draw == "diverse":
            order = _farthest_first(self._vectors, order[0], self._shots + 1)
        return order[: self._shots + 1]

    def _balanced(self, order: list[int]) -> list[int]:
        golds = pd.Series([self._pairs[place][1] for place in order])
        rank = golds.groupby(golds).cumcount().to_numpy()
        return [order[place] for place in np.argsort(rank, kind="stable")]

    def _shuffled(self, salt: int) -> list[int]:
        """An order that depends on each candidate alone: a new candidate moves no other."""
        mixed = _mixed(self._hashes ^ np.uint64(drawn_number("order", str(salt))))
        return [int(place) for place in np.argsort(mixed, kind="stable")]

    def _nearest(self, asked: str, sample: int, vector: Vectors) -> list[int]:
        """As many as are shown; the next sample has the next ones, after the last the first again."""
        order = np.argsort(-(self._vectors @ vector), kind="stable")
        order = order[order != self._places.get(asked, -1)]
        ranks = sorted((sample * self._shots + number) % len(order) for number in range(self._shots))
        return [int(place) for place in order[ranks]]


def candidates_of(prepared: Prepared, annotator: ChatSettings) -> pd.DataFrame:
    """The first `pool` train rows with gold, and the first of each class, by the hash of seed and id.

    So a row more in train moves no other, and few prompts change.  Reads them in chunks.
    Returns columns `id`, `text`, `gold`.
    """
    kept = pd.DataFrame({"id": [], "text": [], "gold": [], "order": []}, dtype=object)
    for graded in prepared.demonstrations():
        order = [drawn_number(str(annotator.seed), one) for one in graded["id"]]
        kept = pd.concat([kept, graded.assign(order=np.array(order, dtype=object))], ignore_index=True)
        kept = kept.sort_values("order", kind="stable", ignore_index=True)
        in_class = kept.groupby("gold").cumcount()
        kept = kept[(kept.index < annotator.pool) | (in_class <= annotator.shots)].reset_index(drop=True)
    return kept[["id", "text", "gold"]]


def _farthest_first(vectors: Vectors, first: int, number: int) -> list[int]:
    """Greedy k-centre: each next row is the one farthest from all taken so far (Gonzalez 1985)."""
    taken = [first]
    nearness: Any = vectors @ vectors[first]
    while len(taken) < min(number, len(vectors)):
        nearness[taken] = np.inf
        taken.append(int(np.argmin(nearness)))
        nearness = np.maximum(nearness, vectors @ vectors[taken[-1]])
    return taken


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Splitmix64: near numbers become far ones."""
    with np.errstate(over="ignore"):
        numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return numbers ^ (numbers >> np.uint64(31))
