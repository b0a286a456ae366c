"""What is said of an annotator's errors and of what its students make of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from labelrisk.comparison.frontier import PointKind
from labelrisk.explanations.phrases import NAMED, bounded, percent
from labelrisk.explanations.propagation.annotator_errors import FEWEST
from labelrisk.explanations.propagation.followed_errors import Followed, OfSource
from labelrisk.explanations.propagation.repeated_errors import Compared
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.intervals import Interval

COIN = 0.5
DONE: dict[PointKind, str] = {
    "chosen": "chosen rows treated",
    "random": "random rows treated",
    "treated": "labels repaired, or learned otherwise",
    "noise": "gold with errors drawn like those of the annotator",
}


def about_annotator(of: Followed) -> Iterator[str]:
    """How often it errs, and whether its errors fall where texts look alike."""
    errors, name = of.errors, of.errors.annotator
    wrong, labelled = int(errors.wrong.sum()), int((errors.given != NO_LABEL).sum())
    silent = len(errors.given) - labelled
    left_out = f"; {silent:,} more have no label of it and are left out here" if silent else ""
    yield f"The annotator {name} is wrong on {wrong:,} of the {labelled:,} test rows that it labelled{left_out}."
    if known(of.rates.difference):
        yield (
            f"Of the train rows that look most like a test row on which {name} is wrong, it has labelled "
            f"{percent(of.rates.of_wrong)} wrong; of those that look like a test row on which it is right, "
            f"{percent(of.rates.of_right)}: {_clusters(of.rates.difference)}."
        )
    yield from _about_predictability(of)


def _clusters(difference: Interval) -> str:
    if difference.low > 0:
        return "its errors come together in texts that look alike"
    return "that does not show that its errors come together in texts that look alike"


def _about_predictability(of: Followed) -> Iterator[str]:
    name, found = of.errors.annotator, of.predictable
    if found is None:
        yield (
            f"Whether the text tells where {name} errs can't be told: it needs {FEWEST} or more train rows with gold "
            "on which it is wrong, and as many on which it is right."
        )
        return
    if found.within.low > COIN:
        so = "so its errors are systematic: they fall where the text says, beyond what the classes explain"
    elif known(found.within):
        so = (
            "so errors at random within each class are not ruled out; which does not prove them random, for another "
            "classifier or more rows may find what this one did not"
        )
    else:
        so = "and no class has both errors and right labels to compare"
    within = f", and in {percent(found.within)} of pairs of one gold class" if known(found.within) else ""
    yield (
        f"A classifier that sees the vectors of {found.rows:,} train rows alone ranks a row that {name} has wrong "
        f"above one that it has right in {percent(found.auc)} of pairs that it has not seen (a coin: 50 %)"
        f"{within}: {so}."
    )


def about_labels_as_they_are(of: Followed, one: OfSource) -> Iterator[str]:
    """What students of an annotator's labels as they are make of its errors."""
    name, found = of.errors.annotator, one.repeats
    same = f"On the rows on which {name} is wrong, students of {one.name} give the same wrong label to "
    if one.taught is None:
        yield f"{same}{percent(found.repeated.own)}; the study has no source of gold to hold that against."
    else:
        yield (
            f"{same}{percent(found.repeated.own)}, and students of {of.errors.gold}, which never saw its labels, to "
            f"{percent(found.repeated.gold)}: {_taught(one)}."
        )
    beyond = "" if one.taught is None else f", those of {of.errors.gold} by {points(found.excess.gold)}"
    yield (
        f"Students with as many errors of each kind that know nothing of {name} would by chance repeat "
        f"{100 * found.chance:.1f} % of its errors; those of {one.name} exceed that by {points(found.excess.own)}"
        f"{beyond}."
    )
    yield (
        f"Students of {one.name} correct {percent(found.corrected.own)} of the errors of {name}"
        f"{_beside(of, found.corrected)}{_err(found.invented, _beside(of, found.invented))}."
    )
    yield from _about_look_alikes(of, one)
    yield _about_random(of, one)


def about_all_treated(of: Followed, sources: Sequence[OfSource]) -> Iterator[str]:
    """The same of other sources, in one sentence each: of many those that differ most from gold's students."""

    def size(one: OfSource) -> float:
        found = one.repeats.repeated
        return abs(found.difference.estimate if known(found.difference) else found.own.estimate)

    told = sources if len(sources) <= NAMED else sorted(sources, key=size, reverse=True)[:NAMED]
    for one in told:
        yield _about_treated(of, one)
    if more := len(sources) - len(told):
        others = f"Those of {more} more sources with labels of {of.errors.annotator} differ less"
        yield f"{others} from students of gold; propagation.csv has them."


def _about_treated(of: Followed, one: OfSource) -> str:
    found = one.repeats
    difference = points(found.repeated.difference)
    against = "" if one.taught is None else f" (against those of {of.errors.gold}: {difference})"
    return (
        f"Students of {one.name} ({DONE[one.kind]}) repeat {percent(found.repeated.own)} of the errors of "
        f"{of.errors.annotator}{against}, correct {percent(found.corrected.own)}"
        f"{_err(found.invented)}."
    )


def _err(invented: Compared, beside: str = "") -> str:
    if not known(invented.own):
        return f"; how often they err where it is right can't be told: it is right on fewer than {FEWEST} test rows"
    return f" and err on {percent(invented.own)} of the rows on which it is right{beside}"


def _taught(one: OfSource) -> str:
    difference = one.repeats.repeated.difference
    assert one.taught is not None
    if one.taught.decision == "not decided":
        return f"a difference of {points(difference)}, which does not decide whether its labels taught them (Holm)"
    if one.taught.decision == "equivalent":
        return f"the difference of {points(difference)} is within the margin, so that its labels taught nothing of it"
    if one.taught.decision == "worse":
        return f"a difference of {points(difference)}, so that its labels rather kept students from it"
    return f"its labels taught {points(difference)} of that"


def _about_look_alikes(of: Followed, one: OfSource) -> Iterator[str]:
    near = one.look_alikes
    if known(near.corrected.own):
        yield (
            f"On the {near.wrong_rows:,} test rows most of whose look-alikes had wrong labels in training, students of "
            f"{one.name} are right on {percent(near.corrected.own)}{_beside(of, near.corrected)}: corrections."
        )
    elif near.wrong_rows + near.right_rows:
        yield (
            f"Only {near.wrong_rows} test rows have look-alikes with mostly wrong labels in the training of students "
            f"of {one.name}: too few to tell how often these are corrected."
        )
    if known(near.invented.own):
        yield (
            f"On the {near.right_rows:,} test rows most of whose look-alikes had right labels in training, students of "
            f"{one.name} are wrong on {percent(near.invented.own)}{_beside(of, near.invented)}: inventions."
        )


def _about_random(of: Followed, one: OfSource) -> str:
    name, found = of.errors.annotator, one.random
    if found is None:
        return (
            f"What the errors of {name} would have cost at random can't be told without a source of gold and one with "
            f"noise: confusion of {name}."
        )
    gap = f"Students of {one.name} are {points(found.gap)} of macro-F1 behind those of {of.errors.gold}"
    twin = (
        f"students of {found.twin}, whose errors were drawn at random with the same confusion, {points(found.twin_gap)}"
    )
    if found.share is None:
        return f"{gap}, which is not surely a loss; {twin}: what share of a loss is random can't be told."
    return (
        f"{gap}; {twin}: as many errors at random would have cost {percent(found.share)} of the loss (less than 100 %: "
        "that they are systematic makes them costly; more: random errors are the worse ones)."
    )


def _beside(of: Followed, found: Compared) -> str:
    return f" (students of {of.errors.gold}: {percent(found.gold)})" if known(found.gold) else ""


def known(found: Interval) -> bool:
    """Whether there is a number."""
    return not math.isnan(found.estimate)


def points(found: Interval) -> str:
    """A difference of shares with its interval."""
    return f"{bounded(found)} points"
