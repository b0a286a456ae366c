"""What is said of the two terms of a student's error, and of whether they add up."""

from __future__ import annotations

from collections.abc import Iterator

from labelrisk.explanations.phrases import bounded
from labelrisk.explanations.propagation.followed_errors import Followed, OfSource
from labelrisk.explanations.propagation.terms import ErrorTerms
from labelrisk.statistics.intervals import Interval


def about_terms(of: Followed, one: OfSource) -> Iterator[str]:
    """The annotator's own error, estimation error, and the remainder."""
    name = of.errors.annotator
    if not one.terms:
        yield (
            f"How much of the error of students of {one.name} is that of {name} itself, and how much is estimation, "
            f"can't be told: {name} gives too few or no probabilities on test rows."
        )
        return
    found = one.terms[0]
    yield (
        f"On {found.rows:,} test rows, students of {one.name} have a log loss of {nats(found.total)}; that of {name} "
        f"itself is {nats(found.annotator)} (its own error, which more labels never remove, and whatever is uncertain "
        f"in gold itself), and the estimation error, how far students are from its probabilities, is "
        f"{nats(found.estimation)}: {_larger(one.terms)}."
    )
    yield (
        f"The two terms of {one.name} leave {nats(found.remainder)} of that log loss unexplained, so that as a sum of "
        f"the two it {_fails(found)}{_zeros(name, found)}."
    )


def _larger(terms: list[ErrorTerms]) -> str:
    if all(one.larger.low > 0 for one in terms):
        certain = all(one.at_least is not None and one.at_least.low > 0 for one in terms)
        how = "also if gold is as uncertain as its own students" if certain else "if gold labels are certain"
        return f"the annotator's own error is the larger one, {how}"
    if all(one.larger.high < 0 for one in terms):
        return "estimation is the larger one"
    return "which of the two is larger is not decided"


def _fails(found: ErrorTerms) -> str:
    if found.misses.low > 0:
        return "does not hold here: the rest is larger than the smaller term"
    if found.misses.high < 0:
        return "holds roughly here: the rest is smaller than either term"
    return "may or may not hold here: the rest is about as large as the smaller term"


def _zeros(name: str, found: ErrorTerms) -> str:
    if not found.smoothing:
        return ""
    return (
        f" ({name} gives probabilities of 0, to the gold class on {100 * found.zeros:.1f} % of rows; "
        f"{100 * found.smoothing:g} % of even doubt are mixed in)"
    )


def nats(found: Interval) -> str:
    """A divergence with its interval."""
    return f"{bounded(found, '.2f', 1)} nats"
