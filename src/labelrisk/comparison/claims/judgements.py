"""Findings from intervals: one rule for all claims, and its reasons in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labelrisk.comparison.claims.contract import Finding, Word
from labelrisk.statistics.intervals import Interval

Rule = tuple[bool, Word, str]  # if so, then this, because


def higher(found: Interval, little: float, sources: Sequence[str] = ()) -> Finding:
    """Is a difference above 0?  No where it is surely below `little`, a difference that one may neglect."""
    return judged(
        found,
        [
            (found.low > 0, "holds", "The whole interval lies above 0."),
            (found.high < little, "does not hold", f"A difference of {points(little)} or more is ruled out."),
        ],
        f"The interval holds both 0 and {points(little)}.",
        sources,
    )


def lower(found: Interval, little: float, sources: Sequence[str] = ()) -> Finding:
    """Is a difference below 0?  No where it is surely above -`little`."""
    return judged(
        found,
        [
            (found.high < 0, "holds", "The whole interval lies below 0."),
            (found.low > -little, "does not hold", f"A difference of {points(-little)} or less is ruled out."),
        ],
        f"The interval holds both 0 and {points(-little)}.",
        sources,
    )


def points(number: float) -> str:
    """A difference in words: 0.02 is +2 points."""
    return f"{100 * number:+g} points"


def judged(found: Interval, words: Sequence[Rule], undecided: str, sources: Sequence[str] = ()) -> Finding:
    """The first word whose condition is met, else `not decided here` because of `undecided`."""
    if any(math.isnan(number) for number in found[:3]):
        return Finding("not decided here", "It is undefined: all students predict one class.", sources=tuple(sources))
    word, because = next(((word, why) for is_met, word, why in words if is_met), ("not decided here", undecided))
    return Finding(word, because, found.estimate, found.low, found.high, tuple(sources))
