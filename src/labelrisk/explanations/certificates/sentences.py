"""What certificates say, for somebody who wants to use a student."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labelrisk.explanations.certificates.certified_sets import SetScores
from labelrisk.explanations.certificates.certified_use import Certificate, OnSlice, Use, new_seed_confidence
from labelrisk.statistics.certificates import fewest_rows
from labelrisk.statistics.shares import Share

NAMED = 3  # slices that a sentence lists


def sentences(
    found: Sequence[Certificate], sets: Mapping[str, Sequence[SetScores]], classes: Sequence[str], risk: float,
    confidence: float,
) -> list[str]:  # fmt: skip
    """Of each way of answering its error, then where it may answer; then new seeds, and prediction sets."""
    said = [_error(one, confidence) for one in found]
    if len(found) > 1:
        said.append(_best(found, confidence))
    if any(one.students for one in found):
        said.append(_new_seeds(found, confidence))
    for one in found:
        said += _use(one, risk, confidence)
    for name, every in sets.items():
        said += _sets(name, every, classes, risk)
    return [sentence[0].upper() + sentence[1:] for sentence in said]


def _error(one: Certificate, confidence: float) -> str:
    rows, vote = len(one.answers.wrong), one.vote
    worst = ""
    if len(one.students) > 1:
        worst = f"; each of the {len(one.students)} students alone errs on at most {_percent(one.worst)}"
    return (
        f"With {_percent(confidence)} confidence {one.answers.called} errs on at most {_percent(vote.bound)} of new "
        f"rows like these (it erred on {vote.errors:,} of {rows:,} test rows, {_percent(vote.error)}){worst}."
    )


def _best(found: Sequence[Certificate], confidence: float) -> str:
    best = min(found, key=lambda one: one.vote.together)
    return (
        f"Who takes the lowest of these {len(found)} bounds has chosen it by the same rows: allowing for that, "
        f"{best.answers.called} errs on at most {_percent(best.vote.together)} with {_percent(confidence)} confidence."
    )


def _new_seeds(found: Sequence[Certificate], confidence: float) -> str:
    taught = [one for one in found if one.students]
    seeds = len(taught[0].students)
    sure = new_seed_confidence(seeds, confidence)
    if sure <= 0.5:
        return (
            f"What a student with a new seed does can't be certified from {seeds} {'seed' if seeds == 1 else 'seeds'}; "
            "all bounds are about the students of this study."
        )
    bounds = ", ".join(f"{one.answers.name} {_percent(one.worst)}" for one in taught)
    return (
        f"A student with a new seed is no worse than the worst of these {seeds} with a chance of only {seeds} in "
        f"{seeds + 1}, so that its error is bounded with {_percent(sure)} confidence only: {bounds}."
    )


def _use(one: Certificate, risk: float, confidence: float) -> Iterator[str]:
    called, use = one.answers.called, one.use
    if use is None:
        yield f"Where {called} may answer can't be certified: it gives no probabilities of test rows."
        return
    if use.tested.chosen is None or use.answered is None or use.error is None:
        yield _not_certified(one, use, risk, confidence)
        return
    threshold = float(use.tested.thresholds[use.tested.chosen])
    share = "all rows" if use.answered.share == 1 else f"{_share(use.answered)} of new rows"
    where = f", those where the probability of its answer is at least {threshold:.3g}" if threshold > 0 else ""
    yield (
        f"{called} may answer {share}{where}, and with {_percent(confidence)} confidence at most {_percent(risk)} of "
        f"these answers are wrong (of those on the test rows {_percent(use.error)} were)."
    )
    if use.slices:
        yield _slices(called, use.slices, risk)


def _not_certified(one: Certificate, use: Use, risk: float, confidence: float) -> str:
    called, at = one.answers.called, use.first
    answered, errors = int(use.tested.answered[at]), int(use.tested.errors[at])
    least = fewest_rows(0, risk, 1 - confidence)
    start = f"No threshold can be certified for {called}: "
    if answered < least:
        return f"{start}it takes {least:,} answers without an error at the least, and it gave {answered:,}."
    wrong = f"{errors:,} {'is' if errors == 1 else 'are'} wrong ({_percent(errors / answered)})"
    seen = f"of its {answered:,} surest answers {wrong}"
    if use.needed is None:
        return f"{start}{seen}, which is not below {_percent(risk)}."
    needed = f"{float(f'{use.needed:.2g}'):,.0f}"  # two digits: the rate itself is a guess
    return f"{start}{seen}; at that rate it would take some {needed} test rows to certify."


def _slices(called: str, slices: Sequence[OnSlice], risk: float) -> str:
    held, broken, open_ = ([on for on in slices if on.decision == word] for word in ("held", "broken", "not shown"))
    parts = [f"on {len(held)} of {len(slices)} slices this is shown to hold as well{_names(held)}"]
    if broken:
        parts.append(f"on {len(broken)} it surely doesn't{_names(broken)}")
    if open_:
        parts.append(f"on {len(open_)} it is not shown{_names(open_)}")
    return f"At that threshold of {called}, {', '.join(parts)}; all slices are looked at together."


def _names(slices: Sequence[OnSlice]) -> str:
    listed = ", ".join(f"{on.of.column} {on.of.name}" for on in slices[:NAMED])
    return f" ({listed}{', ...' if len(slices) > NAMED else ''})" if slices else ""


def _sets(name: str, every: Sequence[SetScores], classes: Sequence[str], risk: float) -> Iterator[str]:
    whole, by_class = every
    if whole.few:
        yield f"Prediction sets of {name} need more test rows to hold the gold class of {_percent(1 - risk)} of rows."
        return
    least, share = min(
        ((label, share) for label, share in zip(classes, whole.by_class, strict=True) if share is not None),
        key=lambda pair: pair[1].share,
    )
    few = f", as too few test rows show {by_class.few} of {len(classes)} classes" if by_class.few else ""
    yield (
        f"For {name}, sets of classes that promise to hold the gold one for {_percent(1 - risk)} of new rows have "
        f"{_size(whole)} classes, and {_share(whole.single)} of them a single one; of the test rows they held it for "
        f"{_share(whole.coverage)}, least often for {least}, {_share(share)}; to promise as much for each class alone "
        f"takes sets of {_size(by_class)} classes{few}."
    )


def _size(of: SetScores) -> str:
    return f"{of.size.estimate:.2f} ({of.size.low:.2f} to {of.size.high:.2f})"


def _share(of: Share) -> str:
    return f"{_percent(of.share)} ({100 * of.low:.1f} to {100 * of.high:.1f} %)"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".0 %", " %")
