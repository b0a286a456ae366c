"""What is said of annotators side by side: their agreement and shared errors, their panels, and their students."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from labelrisk.explanations.annotators.pairs import Judged
from labelrisk.explanations.annotators.panel_gains import PanelGain
from labelrisk.explanations.annotators.students import Taught, TaughtPair
from labelrisk.explanations.phrases import bounded, percent, signed_points
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.shared_errors import Shared

EACH = 3  # pairs of which each is told; of more, those that share most and least
SAID = {
    "shared": "so they share errors beyond chance",
    "shared less": "so they share fewer errors than chance would bring",
    "not decided": "which does not decide whether they share errors",
}


def about_pairs(found: Sequence[Judged], level: float) -> Iterator[str]:
    """Agreement and shared errors of the pairs of one split."""
    judged = [one for one in found if one.p_wrong is not None]
    told = judged
    if len(judged) > EACH:
        words = Counter(one.says(level) for one in judged)
        yield (
            f"Of {len(judged)} pairs of annotators on the {judged[0].pair.split} rows, {words['shared']} share errors "
            f"beyond chance, {words['shared less']} share fewer, and {words['not decided']} are not decided (Holm over "
            "all of them); the two that follow share most and least."
        )
        order = sorted(judged, key=lambda one: (one.pair.wrong.excess.estimate, one.pair.one, one.pair.other))
        told = [order[-1], order[0]]
    for one in told:
        yield from _about_pair(one, level)


def _about_pair(one: Judged, level: float) -> Iterator[str]:
    pair = one.pair
    names = f"{pair.one} and {pair.other}"
    left_out = f" ({pair.unlabelled:,} rows lack a label of one of them)" if pair.unlabelled else ""
    defined = not math.isnan(pair.agreement.kappa.estimate)
    kappa = f"; Cohen's kappa is {bounded(pair.agreement.kappa, '.2f', 1)}" if defined else ""
    yield (
        f"On the {pair.rows:,} gold {pair.split} rows that both labelled{left_out}, the annotators {names} give the "
        f"same label to {percent(pair.agreement.agreement)}{kappa}."
    )
    said, alike = one.says_alike(level), ""
    if one.p_alike is not None:
        so = "" if said == "not decided" else f", {SAID[said]}"
        alike = f" One and the same wrong label comes from both on {_times(pair.alike)}{so}."
    yield (
        f"The annotators {names} are both wrong on {_times(pair.wrong)}, {SAID[one.says_wrong(level)]} (Holm over all "
        f"pairs).{alike}"
    )


def about_panel(gain: PanelGain) -> Iterator[str]:
    """What a panel adds to its members, and what no panel of them could pass."""
    by = "of the gold train rows" if gain.chosen_on == "train" else "of these very test rows, so by luck, too"
    yield (
        f"The panel {gain.panel} of {len(gain.members)} annotators labels {percent(gain.coverage)} of the test rows "
        f"and is right on {percent(gain.accuracy)}: {signed_points(gain.accuracy_over_best)} against its best member, "
        f"{gain.best} (the one that is right on most {by}), and {signed_points(gain.accuracy_over_mean)} against the "
        "mean member."
    )
    yield (
        f"The macro-F1 of the panel {gain.panel} is {signed_points(gain.f1_over_best)} against that of its best member "
        f"({gain.f1_over_best.decision}) and {signed_points(gain.f1_over_mean)} against the mean member "
        f"({gain.f1_over_mean.decision}; Holm over all panels)."
    )
    yield (
        f"At least one member of {gain.panel} is right on {percent(gain.any_right)} of the test rows, which no choice "
        f"among their labels can pass; all of them are on {percent(gain.all_right)}."
    )


def about_students(found: Sequence[Taught], pairs: Sequence[TaughtPair], correlation: float | None) -> Iterator[str]:
    """Whether the better annotator's students are better."""
    if len(pairs) == 0:
        yield (
            "Whether a better annotator makes a better student can't be told: it takes two annotators with a source of "
            f"their labels as they are, and there {'is one' if found else 'is none'}."
        )
        return
    order = Counter(pair.order for pair in pairs)
    if len(pairs) > 1:
        yield (
            f"Of {len(pairs)} pairs of annotators, the one whose train labels are surely more accurate has surely "
            f"better students in {order['same']} and surely worse ones in {order['opposite']}; {order['not decided']} "
            "are not decided (Holm over the pairs)."
        )
    known = [pair for pair in pairs if pair.accuracy is not None]
    told = known if len(known) <= EACH else sorted(known, key=lambda pair: -abs(_estimate(pair.accuracy)))[:1]
    for pair in told:
        yield from _about_students(pair)
    if len(known) < len(pairs):
        yield "Where an annotator labelled no train row with gold, how good its train labels are is not known."
    if correlation is not None:
        number = sum(one.accuracy is not None for one in found)
        yield (
            f"Over {number} annotators, Spearman's correlation of the accuracy of train labels and the students' "
            f"mean macro-F1 is {correlation:.2f}; it has no interval, for so few annotators say nothing about others."
        )


def _about_students(pair: TaughtPair) -> Iterator[str]:
    assert pair.accuracy is not None
    better, worse = (pair.one, pair.other) if pair.accuracy.estimate >= 0 else (pair.other, pair.one)
    turn = better == pair.other
    word = {
        "same": "a better annotator makes better students here",
        "opposite": "the better annotator makes worse students here",
        "not decided": "whether the better annotator makes better students is not decided",
    }[pair.order]
    yield (
        f"On train rows with gold, the accuracy of {better}'s labels differs from that of {worse}'s by "
        f"{_turned(pair.accuracy, turn)}, and on test rows the macro-F1 of its students from that of the other's by "
        f"{_turned(pair.student_f1, turn)}: {word}."
    )


def _estimate(of: Contrast | None) -> float:
    return 0.0 if of is None else of.estimate


def _times(found: Shared) -> str:
    """A share of rows beside what chance brings."""
    share, expected = 100 * found.share, 100 * found.expected
    ratio = found.ratio
    if math.isnan(ratio.low):
        return f"{share:.1f} % of these rows, where independent errors within each class would bring {expected:.1f} %"
    times = f"{bounded(ratio, '.1f', 1)} times"
    return f"{share:.1f} % of these rows, {times} the {expected:.1f} % that independent errors within each class bring"


def _turned(found: Contrast, turn: bool) -> str:
    """A difference; turn: of the second minus the first."""
    turned = found._replace(estimate=-found.estimate, low=-found.high, high=-found.low)
    return signed_points(turned if turn else found)
