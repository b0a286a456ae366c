"""What is said of a change before it is laid out: sections of sentences, items and tables; others' words are marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

NAME, TEXT = 60, 160  # characters shown of names and values, and of texts
LOOKED_AT = 10  # times as many, since white space is told once
AROUND = 5  # words
ARROW, NOTHING = " -> ", "-"


class Quoted(str):
    """Words that are not ours, such as a text, a class or a key; already cut."""

    __slots__ = ()


Line = Sequence[str]  # parts, of which some are Quoted


class Sentence(NamedTuple):
    """A paragraph."""

    parts: Line


class Items(NamedTuple):
    """A list."""

    lines: Sequence[Line]


class Grid(NamedTuple):
    """A table with names on the left and numbers on the right; a cell is one part."""

    header: Sequence[str]
    rows: Sequence[Line]


class Pictures(NamedTuple):
    """Pictures by their paths, and the addresses where a browser finds them, if these are known; is_new: by place."""

    paths: Sequence[Quoted]
    addresses: Sequence[str] | None
    is_new: Sequence[bool]


Block = Sentence | Items | Grid | Pictures


class Section(NamedTuple):
    """A part with its title; is_detail: what a comment folds away."""

    title: str
    blocks: Sequence[Block]
    is_detail: bool = False


def quoted_apart(before: str, after: str) -> tuple[Quoted, Quoted]:
    """Two texts from the first word in which they differ to the last, with a few words around it."""
    sides = [side.split() for side in (before, after)]
    shorter = min(map(len, sides))
    first = next((place for place in range(shorter) if sides[0][place] != sides[1][place]), shorter)
    last = next((of for of in range(shorter - first) if sides[0][-1 - of] != sides[1][-1 - of]), shorter - first)
    start = max(first - AROUND, 0)
    cut = []
    for side in sides:
        end = min(len(side) - last + AROUND, len(side))
        words = " ".join(side[start:end]) or "nothing"
        cut.append(quoted(f"{'... ' * (start > 0)}{words}{' ...' * (end < len(side))}", 2 * TEXT))
    return cut[0], cut[1]


def quoted(words: object, most: int = NAME) -> Quoted:
    """Others' words, cut at the end."""
    text = " ".join(str(words)[: LOOKED_AT * most].split())
    return Quoted(text if len(text) <= most else text[: most - 2] + "..")
