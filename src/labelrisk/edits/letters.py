"""Edits of letters: their case, slips of the fingers, and letters of other scripts that look the same."""

from __future__ import annotations

import itertools
import re
import unicodedata

import numpy as np

from labelrisk.edits.contract import some

SLIPS = 0.2  # of the words with four letters or more, each with one typo
WORD = re.compile(r"[^\W\d_]{4,}")
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # neighbours: left and right on a QWERTY keyboard

REPLACED = 0.1  # of the letters that have a look-alike
LOOK_ALIKES = {  # of UTS 39's confusables those that most typefaces draw alike
    **dict(zip("aceijopsxyABCEHIJKMOPSTX", "асеіјорѕхуАВСЕНІЈКМОРЅТХ", strict=True)),  # noqa: RUF001 Cyrillic
    **dict(zip("vNYZ", "νΝΥΖ", strict=True)),  # noqa: RUF001 Greek
}


def upper(text: str, generator: np.random.Generator) -> str:
    """All letters upper-case; one whose lower case is not the same letter again (ß) stays as it is."""
    return "".join(letter.upper() if letter.upper().lower() == letter else letter for letter in text)


def lower(text: str, generator: np.random.Generator) -> str:
    """All letters lower-case; one whose upper case is not the same letter again (İ) stays as it is."""
    return "".join(letter.lower() if letter.lower().upper() == letter else letter for letter in text)


def typos(text: str, generator: np.random.Generator) -> str:
    """One slip in each of SLIPS of the words with four letters or more, in one word at least.

    Two neighbours change places, or a letter becomes its neighbour on the keyboard, never the first one of the word,
    by which readers know it (Rayner, White, Johnson & Liversedge, "Raeding Wrods With Jubmled Lettres", 2006).  Only
    letters that have a case: in scripts without, such as Chinese, a letter is a word.  Numbers stay.
    """
    letters = list(text)
    words = [slips for word in WORD.finditer(text) if (slips := _slips(text, word.start() + 1, word.end()))]
    for word in some(len(words), SLIPS, generator).tolist():
        place, slip = words[word][int(generator.integers(len(words[word])))]
        letters[place : place + len(slip)] = slip
    return "".join(letters)


def homoglyphs(text: str, generator: np.random.Generator) -> str:
    """REPLACED of the letters that have one give way to a look-alike, Cyrillic or Greek; one letter at least."""
    places = [place for place, letter in enumerate(text) if letter in LOOK_ALIKES]
    letters = list(text)
    for place in some(len(places), REPLACED, generator).tolist():
        letters[places[place]] = LOOK_ALIKES[letters[places[place]]]
    return "".join(letters)


def _slips(text: str, start: int, end: int) -> list[tuple[int, str]]:
    """All slips in a part of a text: from which place on which letters stand instead, each as likely as the others."""
    places = [
        place
        for place in range(start, end)
        if text[place].lower() != text[place].upper() and not unicodedata.combining(text[place + 1 : place + 2] or " ")
    ]
    swaps = [
        (one, text[other] + text[one])
        for one, other in itertools.pairwise(places)
        if other == one + 1 and text[one].lower() != text[other].lower()
    ]
    return swaps + [(place, key) for place in places for key in _beside(text[place])]


def _beside(letter: str) -> list[str]:
    """Its neighbours on the keyboard, in the same case; none where the keyboard lacks the letter."""
    row = next((row for row in KEYS if letter.lower() in row), "")
    place = row.find(letter.lower())
    found = row[max(place - 1, 0) : max(place, 0)] + row[place + 1 : place + 2] if row else ""
    return [key.upper() if letter.isupper() else key for key in found]
