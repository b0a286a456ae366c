"""Texts as vectors of the embedded model, which learns nothing here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelrisk.embedded_model.weights import embedded_folder


def vectors(train: Sequence[str], others: Sequence[Sequence[str]]) -> list[Any]:
    """Sentence vectors of length 1, (N, 384) for train and each other."""
    from labelrisk.embedded_model.sentence_vectors import SentenceEncoder

    encoder = SentenceEncoder(embedded_folder())
    return [encoder.encode(texts) for texts in (train, *others)]
