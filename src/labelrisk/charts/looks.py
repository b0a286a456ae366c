"""How the words of judgements are drawn, the same in all charts."""

from __future__ import annotations

from collections.abc import Iterable

from labelrisk.charts.drawing import Look
from labelrisk.charts.themes import BLUE, GREEN, GREY, PURPLE, VERMILION

VERDICTS = {
    "safe": Look(GREEN, "circle"),
    "can't tell": Look(GREY, "diamond"),
    "no better than random": Look(BLUE, "square"),
    "unstable": Look(PURPLE, "triangle-up"),
    "loses a class": Look(PURPLE, "triangle-down"),
    "risky": Look(VERMILION, "cross", 90),
    "not trained enough": Look(GREY, "triangle-left"),
}
DECISIONS = {
    "better": Look(GREEN, "circle"),
    "worse": Look(VERMILION, "cross"),
    "equivalent": Look(BLUE, "square"),
    "too often": Look(VERMILION, "triangle-right"),
    "too rarely": Look(PURPLE, "triangle-left"),
    "little": Look(BLUE, "square"),
    "more": Look(VERMILION, "cross"),
    "fewer": Look(GREEN, "circle"),
    "shared": Look(VERMILION, "cross"),
    "shared less": Look(GREEN, "circle"),
    "not decided": Look(GREY, "diamond"),
    "not judged": Look(GREY, "triangle-down"),
    "too few rows": Look(GREY, "triangle-down"),
    "by construction": Look(GREY, "triangle-up"),
}


def looks_of(words: Iterable[str], known: dict[str, Look]) -> dict[str, Look]:
    """Of the words that occur how each is drawn, in the order of `known`; a new word is grey."""
    found = set(words)
    return {word: look for word, look in known.items() if word in found} | {
        word: Look(GREY, "square") for word in sorted(found - set(known))
    }
