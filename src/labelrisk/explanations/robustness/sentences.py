"""What robustness says in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labelrisk.comparison.verdicts import bounds, points
from labelrisk.explanations.edited_texts import EditedTexts
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.phrases import NAMED, UNDECIDED, percent_level, reference_first
from labelrisk.explanations.robustness.measures import Edited, Robustness
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.withstood_edits import median_edits

WHAT = {"any_edit": "under single edits", "chain": "along chains"}
DECIDED = {
    "better": "surely more",
    "worse": "surely fewer",
    "equivalent": "alike within the margin",
    "not decided": UNDECIDED,
}


def without_edits(evidence: Evidence) -> str:
    """Why there is nothing to say."""
    if evidence.edited is None:
        return "No test text was edited (`perturb.rows` in params.yaml is 0), so that nothing is known of robustness."
    return "Fewer than two of these test rows were edited, so that nothing is said of robustness; raise `perturb.rows`."


def robustness_sentences(evidence: Evidence, texts: EditedTexts, found: Robustness) -> list[str]:
    """What was done, each source, whether labels of others than gold make students break earlier, and accuracy."""
    names = _extreme(evidence, texts, found)
    others = len(texts.edited) - len(names)
    return [
        _done(evidence, texts),
        *_coverage(texts),
        *(_source(evidence, found, name) for name in names),
        *([f"These differ most from the reference; {others} more are in robustness.csv."] if others else []),
        *_taught(evidence, found),
        *_accuracy(found),
    ]


def _extreme(evidence: Evidence, texts: EditedTexts, found: Robustness) -> list[str]:
    """The reference, and the sources that differ most from it, under single edits or along chains."""
    differences = list(found.against.values())

    def size(name: str) -> float:
        return max((abs(of[name].estimate) for of in differences if name in of), default=0.0)

    return reference_first(texts.edited, evidence.study.settings.evaluate.reference, size)[: 1 + NAMED]


def _done(evidence: Evidence, texts: EditedTexts) -> str:
    how = [f"in {len(texts.edits)} harmless ways, one at a time"] if texts.edits else []
    how += [f"by chains of up to {len(texts.chains)} edits that keep the label"] if texts.chains else []
    seeds = "one student" if texts.seeds == 1 else f"{texts.seeds} students"
    over = "rows alone, since one seed was read" if texts.seeds == 1 else "rows and seeds"
    return (
        f"Of the test rows {texts.rows:,} were edited {' and '.join(how)}, and read again by {seeds} of each source; a "
        "label flips where it is another one than that of the unedited text "
        f"({percent_level(evidence.study.settings.evaluate.confidence)} intervals throughout, over {over})."
    )


def _coverage(texts: EditedTexts) -> list[str]:
    says = []
    unread = [name for name, place in texts.edits.items() if texts.changed[place].any() and not texts.read[place].any()]
    if unread:
        says.append(
            f"The encoder reads the same tokens with and without {_joined(unread)}, so that these can flip no label."
        )
    partly = {name: texts.changed[place].mean() for name, place in texts.edits.items()}
    if some := [f"{name} {points(share)} %" for name, share in partly.items() if share < 1]:
        says.append(
            f"Some edits found nothing to change in some texts, which are then left out: {'; '.join(some)} edited."
        )
    if texts.chains and (short := texts.changed[texts.chains[-1]].mean()) < 1:
        says.append(
            f"Only {points(short)} % of the texts had something to change for all {len(texts.chains)} edits of a "
            "chain; the others stay as they were after their last one."
        )
    if texts.cut.any():
        says.append(
            f"Of the edited texts {points(texts.cut.mean())} % became too long in tokens and lost their end, which can "
            "flip a label, too."
        )
    return says


def _source(evidence: Evidence, found: Robustness, name: str) -> str:
    reference = evidence.study.settings.evaluate.reference
    parts = []
    if found.any_edit:
        share = _unsigned(found.any_edit[name])
        parts.append(f"flip {share} % of their labels under at least one single edit{_worst(found, name)}")
    if found.by_then:
        lasts, length = found.withstood[name], len(found.by_then[name])
        median = median_edits([one.estimate for one in found.by_then[name]])
        half = f" (half of all by edit {median})" if median else ""
        lasted = f"{lasts.estimate:.1f} [{lasts.low:.1f}, {lasts.high:.1f}]"
        parts.append(
            f"{_unsigned(found.by_then[name][-1])} % by the end of a chain of {length}{half}, so that a label "
            f"withstands {lasted} edits of it on average"
        )
    says = f"Students of {name}{', the reference,' if name == reference else ''} {', and '.join(parts)}"
    compared = {what: of[name] for what, of in found.against.items() if name in of}
    gaps = {what: f"{bounds(of)} points {WHAT[what]}" for what, of in compared.items()}
    decided = {DECIDED[of.decision] for of in compared.values()}
    if len(decided) == 1:
        against = f"{' and '.join(gaps.values())}, {decided.pop()}"
    else:
        against = "; ".join(f"{gap}, {DECIDED[compared[what].decision]}" for what, gap in gaps.items())
    return says + (f"; against {reference}: {against}." if against else ".")


def _worst(found: Robustness, name: str) -> str:
    """The single edit that flips most, where any flips."""
    shares = {edit: one.flipped for edit, one in found.by_edit[name].items() if not np.isnan(one.flipped.estimate)}
    worst = max(shares, key=lambda edit: shares[edit].estimate, default=None)
    if worst is None or not shares[worst].estimate:
        return ""
    return f" (most under {worst}, {_unsigned(shares[worst])} %)"


def _taught(evidence: Evidence, found: Robustness) -> list[str]:
    """Whether students of labels that are not gold flip more than the reference's."""
    settings = evidence.study.settings
    reference = settings.evaluate.reference
    if not settings.is_gold(settings.sources[reference].annotator):
        return []
    taught = [
        name
        for name, of in settings.sources.items()
        if not settings.is_gold(of.annotator) and of.labels != "gold" and name != reference
    ]
    told = {(what, name): of[name] for what, of in found.against.items() for name in taught if name in of}
    if not told:
        return []
    margin = f"{100 * evidence.settings.robustness.margin:g} points"
    words = {"better": "more often in", "worse": "less often in", "equivalent": f"alike, within {margin}, in"}
    by_word = {word: _which(told, decision) for decision, word in words.items()}
    parts = [f"{word} {len(names)} ({_joined(names)})" for word, names in by_word.items() if names]
    open_ones = len(_which(told, "not decided"))
    verdict = f"their labels flip {'; '.join(parts)}, and {open_ones} are not decided" if parts else "none is decided"
    return [
        "Do students break earlier that learned from an annotator's labels, as they are or repaired? Of "
        f"{len(told)} comparisons with students of {reference} (Holm over all), {verdict}."
    ]


def _which(told: dict[tuple[str, str], Contrast], decision: str) -> list[str]:
    return [f"{name} {WHAT[what]}" for (what, name), one in told.items() if one.decision == decision]


def _accuracy(found: Robustness) -> list[str]:
    """The single edit and the source with the greatest loss of accuracy."""
    losses: dict[tuple[str, str], Edited] = {
        (name, edit): one
        for name, of in found.by_edit.items()
        for edit, one in of.items()
        if not np.isnan(one.change.estimate)
    }
    if not losses:
        return []
    name, edit = min(losses, key=lambda key: losses[key].change.estimate)
    one = losses[name, edit]
    if one.change.estimate >= 0:
        return ["No single edit lowers the accuracy of any source's students."]
    return [
        f"The greatest loss of accuracy under a single edit, picked out of {len(losses)}, is that of students of "
        f"{name} under {edit}: {bounds(one.change)} points, from {points(one.before.estimate)} to "
        f"{points(one.after.estimate)}; {points(one.turns['right_to_wrong'].estimate)} % of the labels turn from right "
        f"to wrong, {points(one.turns['wrong_to_right'].estimate)} % from wrong to right, and "
        f"{points(one.turns['wrong_to_other'].estimate)} % from one wrong label to another."
    ]


def _unsigned(found: Interval) -> str:
    return f"{points(found.estimate)} [{points(found.low)}, {points(found.high)}]"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
