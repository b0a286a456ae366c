"""Which column of a table holds the texts, by what it is called and by how long and different its strings are."""

from __future__ import annotations

import re
from typing import NamedTuple

import pandas as pd

from labelrisk.new_study.column_names import words_of

# what columns of texts are often called
NAMES = {
    "text",
    "texts",
    "sentence",
    "sentences",
    "content",
    "body",
    "tweet",
    "post",
    "comment",
    "message",
    "review",
    "document",
    "abstract",
    "paragraph",
    "passage",
    "utterance",
    "headline",
    "article",
    "question",
    "speech",
    "transcript",
    "description",
    "statement",
}
DIFFERENT = 0.5  # share of a column's strings, at least, that stand only once: labels come again and again
AS_LONG = 0.8  # from this share of the longest mean length on, another column might be meant as well
NUMBER = re.compile(r"\s*[-+]?[0-9.,:/ eE-]+\s*")  # numbers, dates and times


class Texts(NamedTuple):
    """A column of strings: its mean length in characters, the share that differ, whether they are sentences rather
    than identifiers or addresses, and whether it is called as texts are.
    """

    column: str
    length: float
    different: float
    is_prose: bool
    is_called_so: bool


def guessed_text(frame: pd.DataFrame) -> tuple[str, str, tuple[str, ...]] | None:
    """The column, why it, and others that would have done as well; None where no column looks like texts."""
    found = [texts for column in map(str, frame) if (texts := _texts(column, frame[column]))]
    if not found:
        return None
    best = max(found, key=lambda one: (one.is_prose, one.is_called_so, one.length))
    alike = [
        one.column for one in found if one is not best and one[3:] == best[3:] and one.length >= AS_LONG * best.length
    ]
    figures = f"{best.length:,.0f} characters on average, {100 * best.different:.0f} % of them different"
    if best.is_called_so:
        return best.column, f"by its name; {figures}", tuple(alike)
    reason = "the only one of texts" if len(found) == 1 else f"the longest of {len(found)} columns of texts"
    return best.column, f"{reason}; {figures}", tuple(alike)


def _texts(column: str, values: pd.Series) -> Texts | None:
    given = values.dropna()
    strings = [value for value in given if isinstance(value, str) and value.strip()]
    if not strings or len(strings) < len(given) or len(given) < len(values) / 2:
        return None
    different = len(set(strings)) / len(strings)
    if different < DIFFERENT or sum(NUMBER.fullmatch(value) is not None for value in strings) > len(strings) / 2:
        return None
    prose = sum(any(one.isspace() for one in value.strip()) or not value.isascii() for value in strings)
    length = sum(map(len, strings)) / len(strings)
    called = any(word in NAMES for word in words_of(column))
    return Texts(column, length, different, prose >= len(strings) / 2, called)
