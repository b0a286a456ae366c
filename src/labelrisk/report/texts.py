"""Texts under annotation as the page holds them: visible, and no longer than there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from labelrisk.report.security import script_json, visible

LENGTHS = (10_000, 5_000, 2_500, 1_200, 600, 300)  # characters of a text that the page may hold


class Texts(NamedTuple):
    """texts: as they are shown; lengths: characters of the whole ones; longest: what is held of one at most."""

    texts: list[str]
    lengths: list[int]
    longest: int


def fitting(texts: Sequence[str], size: int) -> Texts | None:
    """The texts with as many characters of each as fit, all together, into so many bytes; None where none do."""
    for longest in LENGTHS:
        held = Texts([visible(text[:longest]) for text in texts], [len(text) for text in texts], longest)
        if len(script_json(held._asdict()).encode()) <= size:
            return held
    return None
