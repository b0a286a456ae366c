"""Texts as weighted counts of their words and pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def words(train: Sequence[str], others: Sequence[Sequence[str]]) -> list[Any]:
    """Tf-idf of words and pairs of neighbouring words, with 1 + log counts; sparse, (N, D) for train and each other."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    # any run of letters and digits is a word, also a single one: not every language has longer ones
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\w+")
    return [vectorizer.fit_transform(train), *map(vectorizer.transform, others)]
