"""Texts as sets of shingles: all runs of five characters, of what is left when case and punctuation are gone."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHARACTERS = 5  # of a shingle; a text of fewer has none
SPACE = 32
BETWEEN = ("Z", "C", "P")  # Unicode categories that only part words: white space, control characters, punctuation


class Letters(NamedTuple):
    """Characters of texts as code points, one text after the other, and where each begins and the last ends."""

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]

    def shingles(self) -> list[frozenset[str]]:
        """The set of shingles of each text."""
        whole = self.codes.tobytes().decode("utf-32-le")
        texts = [whole[start:end] for start, end in zip(self.starts, self.starts[1:], strict=False)]
        return [frozenset(text[at : at + CHARACTERS] for at in range(len(text) - CHARACTERS + 1)) for text in texts]


def letters(texts: Sequence[str]) -> Letters:
    """Texts in Unicode NFC and lower case, with one space for each run of white space and punctuation."""
    composed = [unicodedata.normalize("NFC", text) for text in texts]
    lengths = np.fromiter(map(len, composed), dtype=np.int64, count=len(composed))
    codes = _folded()[np.frombuffer("".join(composed).encode("utf-32-le"), dtype=np.uint32)]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    starts_text = np.zeros(len(codes) + 1, dtype=bool)
    starts_text[starts] = True
    is_space = codes == SPACE
    # of a run of spaces the first stays, unless it begins or ends its text
    after_letter = np.append(False, ~is_space[:-1]) & ~starts_text[:-1]
    codes, starts = _only(~is_space | after_letter, codes, starts)
    ends = np.zeros(len(codes), dtype=bool)
    ends[starts[1:][starts[1:] > starts[:-1]] - 1] = True
    return Letters(*_only(~(ends & (codes == SPACE)), codes, starts))


def _only(
    kept: NDArray[np.bool_], codes: NDArray[np.uint32], starts: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    return codes[kept], np.concatenate([[0], np.cumsum(kept)])[starts]


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """|A & B| / |A | B|; 0 where both are empty."""
    both = len(one & other)
    return both / max(1, len(one) + len(other) - both)


@cache
def _folded() -> NDArray[np.uint32]:
    """By code point what stands for it: a lower-case letter, the sign itself, or a space."""
    found = np.arange(sys.maxunicode + 1, dtype=np.uint32)
    for code in range(sys.maxunicode + 1):
        one = chr(code)
        lower = one.lower()
        if unicodedata.category(one)[0] in BETWEEN:
            found[code] = SPACE
        elif lower != one and len(lower) == 1:
            found[code] = ord(lower)
    return found
