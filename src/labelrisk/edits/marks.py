"""Edits between the words: punctuation that says little, and white space."""

from __future__ import annotations

import re

import numpy as np

from labelrisk.edits.contract import some

DROPPED = 0.5  # of the marks that say little
# after a word and before a gap: what stands inside of numbers, addresses and times stays, and so do ! and ?
MARK = re.compile(r"(?<=\w)[,;:.](?=\s|$)")
ENDS_IN_A_WORD = re.compile(r"\w$")

WIDENED = 0.3  # of the single spaces
GAP = re.compile(r"(?<!\s) (?!\s)")
GAPS = ("  ", "\t", "\u00a0")  # two spaces, a tab, a space that does not break


def punctuation(text: str, generator: np.random.Generator) -> str:
    """Half of the commas, semicolons, colons and full stops that follow a word go, one at least.

    Where there is none, a text that ends in a word gets a full stop.
    """
    marks = [mark.start() for mark in MARK.finditer(text)]
    if not marks:
        return f"{text}." if ENDS_IN_A_WORD.search(text) else text
    gone = {marks[place] for place in some(len(marks), DROPPED, generator).tolist()}
    return "".join(letter for place, letter in enumerate(text) if place not in gone)


def white_space(text: str, generator: np.random.Generator) -> str:
    """WIDENED of the single spaces become two, a tab or a no-break space, one at least; ends of lines stay."""
    gaps = [gap.start() for gap in GAP.finditer(text)]
    letters = list(text)
    for place in some(len(gaps), WIDENED, generator).tolist():
        letters[gaps[place]] = GAPS[int(generator.integers(len(GAPS)))]
    return "".join(letters)
