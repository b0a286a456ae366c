"""What certificates say, for somebody who wants to use a student."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labelrisk.explanations.certificates.certified_sets import SetScores
from labelrisk.explanations.certificates.certified_use import Certificate, OnSlice, Use, new_seed_confidence
from labelrisk.explanations.certificates.set_sentences import about_sets, percent_of
from labelrisk.explanations.phrases import NAMED, percent, reference_first, short
from labelrisk.statistics.certificates import fewest_rows


def sentences(
    found: Sequence[Certificate], sets: Mapping[str, Sequence[SetScores]], classes: Sequence[str], risk: float,
    confidence: float, reference: str,
) -> list[str]:  # fmt: skip
    """The reference's error and the lowest; who may answer, who can't be certified; prediction sets; then the rest.

    reference: the source that is named first, its vote.  Of many ways of answering the tables hold the others.
    """
    own = next(one for one in found if one.answers.kind == "vote" and one.answers.name == reference)
    said = [_error(own, confidence)]
    if len(found) > 1:
        said.append(_best(found, confidence))
    said += _use(own, found, risk, confidence)
    said += about_sets(sets, classes, risk, reference)
    if len(found) > 1:
        said.append(_others(own, found, confidence))
    if any(one.students for one in found):
        said.append(_new_seeds(reference, found, confidence))
    return [sentence[0].upper() + sentence[1:] for sentence in said]


def _error(one: Certificate, confidence: float) -> str:
    rows, vote = len(one.answers.wrong), one.vote
    worst = ""
    if len(one.students) > 1:
        worst = f"; each of the {len(one.students)} students alone errs on at most {percent_of(one.worst)}"
    return (
        f"With {percent_of(confidence)} confidence {one.answers.called} errs on at most {percent_of(vote.bound)} of "
        f"new rows like these (it erred on {vote.errors:,} of {rows:,} test rows, {percent_of(vote.error)}){worst}."
    )


def _best(found: Sequence[Certificate], confidence: float) -> str:
    best = min(found, key=lambda one: one.vote.together)
    return (
        f"Who takes the lowest of these {len(found)} bounds has chosen it by the same rows: allowing for that, "
        f"{best.answers.called} errs on at most {percent_of(best.vote.together)} with {percent_of(confidence)} "
        "confidence."
    )


def _others(own: Certificate, found: Sequence[Certificate], confidence: float) -> str:
    """The largest of the other bounds."""
    others = sorted((one for one in found if one is not own), key=lambda one: -one.vote.bound)
    parts = [f"{one.answers.called} {percent_of(one.vote.bound)}" for one in others]
    return (
        f"The others, each looked at alone, err with {percent_of(confidence)} confidence on at most these shares, the "
        f"largest first: {short(parts, 'certificates.csv')}."
    )


def _new_seeds(reference: str, found: Sequence[Certificate], confidence: float) -> str:
    taught = {one.answers.name: one for one in found if one.students}
    seeds = len(next(iter(taught.values())).students)
    sure = new_seed_confidence(seeds, confidence)
    if sure <= 0.5:
        return (
            f"What a student with a new seed does can't be certified from {seeds} {'seed' if seeds == 1 else 'seeds'}; "
            "all bounds are about the students of this study."
        )
    order = reference_first(taught, reference, lambda name: taught[name].worst)
    bounds = [f"{name} {percent_of(taught[name].worst)}" for name in order]
    return (
        f"A student with a new seed is no worse than the worst of these {seeds} with a chance of only {seeds} in "
        f"{seeds + 1}, so that its error is bounded with {percent_of(sure)} confidence only: "
        f"{short(bounds, 'certificates.json', 1 + NAMED)}."
    )


def _use(own: Certificate, found: Sequence[Certificate], risk: float, confidence: float) -> Iterator[str]:
    """Those that may answer, the reference first, then who may answer most; and who can't be certified."""
    able = [one for one in found if one.use is not None and one.use.answered is not None]
    order = sorted(able, key=lambda one: (one is not own, -_answered(one)))
    more = f" {len(able) - NAMED} more may answer, too: certificates_thresholds.csv has their thresholds."
    for place, one in enumerate(order[:NAMED], start=1):
        yield _may_answer(one, risk, confidence) + (more if NAMED == place < len(able) else "")
    if first := next((one for one in order if one.use and one.use.slices), None):
        assert first.use is not None
        yield _slices(first.answers.called, first.use.slices, risk, len(able) > 1)
    if unable := [one for one in found if one.use is not None and one.use.answered is None]:
        yield _not_certified(unable, risk, confidence)
    if silent := [one for one in found if one.use is None]:
        names = short([one.answers.called for one in silent], "certificates.csv", between=", ")
        gives = "it gives" if len(silent) == 1 else "they give"
        yield f"Where {names} may answer can't be certified: {gives} no probabilities of test rows."


def _answered(one: Certificate) -> float:
    assert one.use is not None
    assert one.use.answered is not None
    return one.use.answered.share


def _may_answer(one: Certificate, risk: float, confidence: float) -> str:
    use = one.use
    assert use is not None
    assert use.tested.chosen is not None
    assert use.answered is not None
    assert use.error is not None
    threshold = float(use.tested.thresholds[use.tested.chosen])
    share = "all rows" if use.answered.share == 1 else f"{percent(use.answered)} of new rows"
    where = f", those where the probability of its answer is at least {threshold:g}" if threshold > 0 else ""
    return (
        f"{one.answers.called} may answer {share}{where}, and with {percent_of(confidence)} confidence at most "
        f"{percent_of(risk)} of these answers are wrong (of those on the test rows {percent_of(use.error)} were)."
    )


def _not_certified(unable: Sequence[Certificate], risk: float, confidence: float) -> str:
    """All that have no threshold, and why the one that comes nearest has none."""
    order = sorted(unable, key=_distance)
    nearest, use = order[0].answers.called, order[0].use
    assert use is not None
    names = short([one.answers.called for one in order], "certificates_thresholds.csv", between=", ")
    first = f"; nearest to one comes {nearest}" if len(order) > 1 else ""
    return f"No threshold can be certified for {names}{first}: {_reason(use, risk, confidence)}."


def _distance(one: Certificate) -> tuple[float, float]:
    """How far from a certificate: test rows that it would take, then the share of wrong answers."""
    assert one.use is not None
    tested, at = one.use.tested, one.use.first
    needed = float("inf") if one.use.needed is None else one.use.needed
    return needed, float(tested.errors[at] / max(tested.answered[at], 1))


def _reason(use: Use, risk: float, confidence: float) -> str:
    at = use.first
    answered, errors = int(use.tested.answered[at]), int(use.tested.errors[at])
    least = fewest_rows(0, risk, 1 - confidence)
    if answered < least:
        return f"it takes {least:,} answers without an error at the least, and it gave {answered:,}"
    wrong = f"{errors:,} {'is' if errors == 1 else 'are'} wrong ({percent_of(errors / answered)})"
    seen = f"of its {answered:,} surest answers {wrong}"
    if errors >= risk * answered:
        return f"{seen}, which is not below {percent_of(risk)}"
    if use.needed is None:
        return f"{seen}; at that rate it would take more test rows than anybody has to certify"
    needed = f"{float(f'{use.needed:.2g}'):,.0f}"  # two digits: the rate itself is a guess
    return f"{seen}; at that rate it would take some {needed} test rows to certify"


def _slices(called: str, slices: Sequence[OnSlice], risk: float, several: bool) -> str:
    held, broken, open_ = ([on for on in slices if on.decision == word] for word in ("held", "broken", "not shown"))
    parts = [f"on {len(held)} of {len(slices)} slices this is shown to hold as well{_names(held)}"]
    if broken:
        parts.append(f"on {len(broken)} it surely doesn't{_names(broken)}")
    if open_:
        parts.append(f"on {len(open_)} it is not shown{_names(open_)}")
    others = "; certificates_slices.csv has the others" if several else ""
    return f"At that threshold of {called}, {', '.join(parts)}; all slices are looked at together{others}."


def _names(slices: Sequence[OnSlice]) -> str:
    listed = ", ".join(f"{on.of.column} {on.of.name}" for on in slices[:NAMED])
    return f" ({listed}{', ...' if len(slices) > NAMED else ''})" if slices else ""
