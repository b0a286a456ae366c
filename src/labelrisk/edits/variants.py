"""The variants of a text that students are asked about: as it is, each edit on its own, and chains of edits.

All draws are of the row's id and one seed, each edit from a stream of its own: the same rows have the same variants for
all students, and another edit, or another row, changes none of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from labelrisk.edits.kinds import HARMLESS, OF_EVIDENCE
from labelrisk.settings.perturb import HarmlessEdit

UNEDITED = "unedited"
CHAIN = "chain "  # before the number of edits


class Variant(NamedTuple):
    """A text, by which edit it came about, and whether that one changed anything; of a chain, its last edit."""

    edit: str
    text: str
    changed: bool


def drawn(ids: Sequence[str], rows: int, seed: int) -> list[int]:
    """The positions of at most so many ids, ascending: those whose hash with the seed is smallest.

    More rows hold the fewer ones, and rows that are added to a corpus move hardly any.
    """
    order = sorted(range(len(ids)), key=lambda place: _number(seed, "row", ids[place]))
    return sorted(order[:rows])


def variants(text: str, identity: str, edits: Sequence[HarmlessEdit], chain: int, seed: int) -> Iterator[Variant]:
    """The text unedited, each edit of it on its own, and chains of 1, 2, ... `chain` edits."""
    yield Variant(UNEDITED, text, False)
    for name in edits:
        edited = HARMLESS[name](text, np.random.default_rng(_number(seed, name, identity)))
        yield Variant(name, edited, edited != text)
    for step, one in enumerate(_chain(text, identity, edits, chain, seed), start=1):
        yield Variant(f"{CHAIN}{step}", text if one is None else one, one is not None)
        text = text if one is None else one


def _chain(text: str, identity: str, edits: Sequence[HarmlessEdit], steps: int, seed: int) -> Iterator[str | None]:
    """The text after each edit of one chain; None once no edit is left that changes anything.

    Edits are drawn without replacement, those that change nothing of this text are passed over: each step is one more.
    """
    generator = np.random.default_rng(_number(seed, CHAIN, identity))
    kinds = [*(HARMLESS[name] for name in edits), *OF_EVIDENCE.values()]
    done = 0
    for place in generator.permutation(len(kinds)).tolist():
        if done == steps:
            return
        edited = kinds[place](text, generator)
        if edited != text:
            text, done = edited, done + 1
            yield text
    yield from [None] * (steps - done)


def _number(seed: int, purpose: str, identity: str) -> int:
    """A number drawn from the seed, for this purpose and row."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose} {identity}".encode()).digest()[:16], "big")
