"""What the study says, in one sentence, and of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labelrisk.comparison.table import level, next_step

FIRST = 12  # sources that are told on the first screen, the gravest first
# of one source, and of several, from the gravest
WORDS = {
    "not trained enough": ("is not trained enough", "are not trained enough"),
    "risky": ("is risky", "are risky"),
    "loses a class": ("loses a class", "lose a class"),
    "unstable": ("is unstable", "are unstable"),
    "no better than random": ("is no better than random", "are no better than random"),
    "can't tell": ("is neither risky nor safe for sure", "are neither risky nor safe for sure"),
    "safe": ("is safe", "are safe"),
}
REFERENCE = "reference"


class Judged(NamedTuple):
    """A source, its verdict and the reason of it."""

    source: str
    verdict: str
    because: str


def study_sentence(verdict: Mapping[str, Any]) -> str:
    """One sentence for the study: how many sources are what, at which margin; verdict: of metrics/verdict.json."""
    sources = verdict["sources"]
    words = [of["verdict"] for of in sources.values() if of["verdict"] != REFERENCE]
    if not words:
        return "The study has no source beside the reference, so that there is nothing to judge."
    parts = [_part(word, words.count(word)) for word in sorted(set(words), key=_gravity)]
    margin = f"{100 * verdict['margin']:.4g} points of macro-F1"
    return (
        f"Of {len(words):,} label source{'s' * (len(words) > 1)}, {_listed(parts)}, if a loss of {margin} is accepted "
        f"({level(verdict)} confidence)."
    )


def next_step_sentence(verdict: Mapping[str, Any]) -> str:
    """The next step of the study, with its reason and its price."""
    return next_step(verdict)


def judged_sources(verdict: Mapping[str, Any]) -> list[Judged]:
    """All sources but the reference, the gravest verdict first."""
    judged = [Judged(name, of["verdict"], of["because"]) for name, of in verdict["sources"].items()]
    return sorted((one for one in judged if one.verdict != REFERENCE), key=lambda one: _gravity(one.verdict))


def _gravity(word: str) -> int:
    return list(WORDS).index(word) if word in WORDS else len(WORDS)


def _part(word: str, number: int) -> str:
    one, several = WORDS.get(word, (f"is '{word}'", f"are '{word}'"))
    return f"{number:,} {one if number == 1 else several}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
