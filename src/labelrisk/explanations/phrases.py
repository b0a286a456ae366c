"""Phrases that the sentences of several explanations have in common: intervals, their level, and lists cut short."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from labelrisk.comparison.study import Study
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.shares import Share

NAMED = 3  # sources beside the reference that a sentence names; the table has all
UNDECIDED = "not decided with all comparisons looked at together"
HOLM = re.compile(r"\((?:[^()]*[;,] )?Holm\b[^()]*(?=\))")  # a remark in brackets, without the last of them
NATS = re.compile(r"(?<=\d\]) nats\b")
TERMS = (
    (HOLM, ", allowing for the number of comparisons"),
    (NATS, " (units of natural logarithms: an even guess between two classes costs 0.69)"),
)


def bounded(found: Interval | Contrast | Share, form: str = ".1f", scale: float = 100.0) -> str:
    """An estimate with its interval, as in the tables: 58.0 [50.8, 65.2]; without where nothing varies."""
    estimate, low, high = (scale * value for value in found[:3])
    return f"{estimate:{form}}" + (f" [{low:{form}}, {high:{form}}]" if high > low else "")


def percent(found: Interval | Share) -> str:
    """A share with its interval."""
    return f"{bounded(found)} %"


def signed_points(found: Interval | Contrast) -> str:
    """A difference with its interval."""
    return f"{bounded(found, '+z.1f')} points"


def percent_level(confidence: float) -> str:
    """The level of intervals, as a sentence has it."""
    return f"{round(100 * confidence, 6):g} %"


def over_rows_and_seeds(study: Study) -> str:
    """What an interval of students is about."""
    return "over rows alone, since there is one seed" if len(study.settings.seeds) == 1 else "over rows and seeds"


def with_level(says: Iterable[str], confidence: float, over: str) -> list[str]:
    """The same sentences, of which the first says what level all intervals have; unless there is none."""
    first, *rest = says
    if not any("[" in sentence for sentence in (first, *rest)):
        return [first, *rest]
    return [f"{first.removesuffix('.')} ({percent_level(confidence)} intervals throughout, {over}).", *rest]


def explained(says: Iterable[str]) -> list[str]:
    """The same sentences, in which a term is explained where it is used first."""
    told = list(says)
    for term, meaning in TERMS:
        for place, sentence in enumerate(told):
            if found := term.search(sentence):
                told[place] = sentence[: found.end()] + meaning + sentence[found.end() :]
                break
    return told


def reference_first(names: Iterable[str], reference: str, size: Callable[[str], float]) -> list[str]:
    """Names in the order in which a short list takes them: the reference, then the others, the largest first."""
    return sorted(names, key=lambda name: (name != reference, -size(name)))  # those of one size stay in their order


def short(parts: Sequence[str], file: str, most: int = NAMED, between: str = "; ") -> str:
    """Parts in a row; of many the first, and where the others are."""
    more = f"{between}and {len(parts) - most} more in {file}" if len(parts) > most else ""
    return between.join(parts[:most]) + more
