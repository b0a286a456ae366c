"""What the explanation of ensembles says in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labelrisk.comparison.study import Study
from labelrisk.explanations.ensembles.distilled_student import Distilled
from labelrisk.explanations.ensembles.gains import Gains, Key
from labelrisk.explanations.ensembles.pools import ALL_OF, Pool, Way
from labelrisk.explanations.ensembles.sizes import FIVE, Size, alpha_of_five
from labelrisk.explanations.phrases import bounded, over_rows_and_seeds, percent, signed_points, with_level
from labelrisk.params import ACROSS
from labelrisk.settings.ensemble import AUTO
from labelrisk.statistics.contrasts import decide
from labelrisk.statistics.intervals import Interval

MISSED = 0.07  # by so much alpha of ensembles of five was missed at the most, in worlds of known truth (the docs)


def sentences(
    study: Study,
    pools: Mapping[str, Pool],
    found: Gains,
    sizes: Mapping[str, Sequence[Size]],
    on_validation: Mapping[str, float],
    chosen: str,
    distilled: Distilled | None,
) -> list[str]:
    """For somebody who has not read the docs."""
    says = list(_voting(study, pools, found))
    says += [_chosen(study, found, on_validation, chosen)]
    says += _learned(study, pools, found)
    says += [_across(name, pool, found) for name, pool in pools.items() if name not in study.settings.sources]
    says += _stability(study, sizes)
    return with_level([*says, _distilled(distilled)], study.settings.evaluate.confidence, over_rows_and_seeds(study))


def _voting(study: Study, pools: Mapping[str, Pool], found: Gains) -> Iterator[str]:
    seeds = len(study.settings.seeds)
    if seeds < 2:
        yield "With a single seed there is no vote over seeds, and nothing can be said of other seeds."
        return
    gains = {name: found.over_mean[name, "vote"] for name in study.settings.sources}
    most = _extremes(gains)[1]
    level = 1 - study.settings.evaluate.confidence
    sure = [name for name, of in found.decided.items() if of.estimate > 0 and of.p_different < level]
    yield (
        f"Against its mean student, the vote of a source's {seeds} students changes macro-F1 by "
        f"{_from_to(gains)}; it surely gains for {len(sure)} of {len(pools)} ensembles, with all of them looked at "
        "together."
    )
    gain = gains[most].estimate
    yield (
        f"A prediction by such a vote costs what {seeds} single students cost: where it gains most, each student "
        f"beyond the first brings {100 * gain / (seeds - 1):+z.1f} points."
    )


def _chosen(study: Study, found: Gains, on_validation: Mapping[str, float], chosen: str) -> str:
    if study.settings.ensemble.chosen != AUTO:
        why = f"params.yaml chooses {_vote(chosen)}"
    elif on_validation:
        score = 100 * on_validation[chosen]
        why = f"On validation rows {_vote(chosen)} has the highest macro-F1 ({score:.1f}), so it is the chosen one"
    else:
        why = (
            f"No validation row with gold was predicted by all students, so the reference's vote, '{chosen}', is chosen"
        )
    scores = found.scores["macro_f1"]
    if (chosen, "vote") not in scores:  # `across` of sources that have another name here
        return f"{why}."
    best = scores.get((chosen, "best student"))
    beside = f", its best student by validation rows {bounded(best)}" if best else ""
    return (
        f"{why}: on test rows it has {bounded(scores[chosen, 'vote'])}, its mean student "
        f"{bounded(scores[chosen, 'mean student'])}{beside}."
    )


def _learned(study: Study, pools: Mapping[str, Pool], found: Gains) -> Iterator[str]:
    fewest = study.settings.explain.ensembles.validation_rows
    short = [name for name, pool in pools.items() if len(pool.of_validation) < fewest]
    if short:
        rows = len(pools[short[0]].of_validation)
        yield (
            f"Weights and stacking are left out for {len(short)} of {len(pools)} ensembles, since they need {fewest} "
            f"validation rows with gold that all students predicted ({_called(short[0])} has {rows})."
        )
    if found.over_vote:
        how = study.settings.evaluate
        decided = decide(list(found.over_vote.values()), how.margin, how.confidence)
        sure = sum(one.p_different < 1 - how.confidence for one in decided)
        yield (
            f"Against the plain vote, {_range(found.over_vote, 'weighted vote', 'weights from validation rows')}, and "
            f"{_range(found.over_vote, 'stacked', 'stacking')}; of these {len(decided)} changes {sure} are sure, with "
            "all of them looked at together."
        )


def _range(over: Mapping[Key, Interval], way: Way, words: str) -> str:
    of = {name: interval for (name, one), interval in over.items() if one == way}
    verb = "change" if way == "weighted vote" else "changes"
    return f"{words} {verb} macro-F1 by {_from_to(of)}"


def _from_to(changes: Mapping[str, Interval]) -> str:
    """The lowest and the highest of changes, with whose they are."""
    return " to ".join(f"{signed_points(changes[name])} ({_called(name)})" for name in _extremes(changes))


def _across(name: str, pool: Pool, found: Gains) -> str:
    scores, best = found.scores["macro_f1"], found.over_best.get((name, "vote"))
    beside = f", and {signed_points(best)} against its best student by validation rows" if best else ""
    return (
        f"{_called(name, 'The')} ('{name}' in the table; {len(pool.students)} sources, {pool.size} students) has "
        f"{bounded(scores[name, 'vote'])}, {signed_points(found.over_mean[name, 'vote'])} against the mean of these "
        f"students{beside}."
    )


def _stability(study: Study, sizes: Mapping[str, Sequence[Size]]) -> Iterator[str]:
    seeds = len(study.settings.seeds)
    told = {
        source: [one.alpha for one in some if one.alpha is not None and one.alpha.estimate == one.alpha.estimate]
        for source, some in sizes.items()
    }
    told = {source: alphas for source, alphas in told.items() if alphas}
    if not told:
        why = "that takes two seeds or more" if seeds < 2 else "all students predict one class"
        yield f"How far ensembles drawn anew agree can't be told: {why}."
        return
    source = min(told, key=lambda name: told[name][0].estimate)
    single, largest = told[source][0], told[source][-1]
    alpha, members = [bounded(of, ".2f", 1) for of in (single, largest)], len(told[source])
    yield (
        f"Two single students of '{source}', the least stable source, agree with alpha {alpha[0]}"
        + (f"; two ensembles of {members} that share no student with {alpha[1]}." if members > 1 else ".")
    )
    if seeds < 2 * FIVE:
        five = {name: alpha_of_five(list(sizes[name])) for name in told}
        known = [name for name in told if five[name] == five[name]]
        rest = (
            f"; extrapolated from ensembles of one and two it would be {five[source]:.2f} for '{source}', "
            f"give or take {MISSED:.2f}"
            if source in known
            else ""
        )
        yield f"Alpha of ensembles of {FIVE} can be measured with {2 * FIVE} seeds or more, and here are {seeds}{rest}."


def _distilled(found: Distilled | None) -> str:
    if found is None:
        return "No student was distilled from the chosen ensemble."
    return (
        f"One student distilled from {_vote(found.ensemble)} has {bounded(found.macro_f1)} for the cost of one "
        f"student instead of {found.instead_of}: {signed_points(found.over_vote)} against the vote, "
        f"{signed_points(found.over_mean)} against its mean student, and it says what the vote says on "
        f"{percent(found.same)} of the test rows (over rows alone, since it is one student)."
    )


def _called(name: str, the: str = "the") -> str:
    """An ensemble in a sentence: what `across` and `all of` an annotator are is told in the words of params.yaml."""
    if name == ACROSS:
        return f"{the} vote over the sources of `ensemble.across`"
    if name.startswith(ALL_OF):
        return f"{the} vote over all sources of {name.removeprefix(ALL_OF)}"
    return f"'{name}'"


def _vote(name: str) -> str:
    return f"the vote of '{name}'" if _called(name) == f"'{name}'" else _called(name)


def _extremes(found: Mapping[str, Interval]) -> tuple[str, str]:
    """The names of the lowest and the highest."""
    names = sorted(found, key=lambda name: found[name].estimate)
    return names[0], names[-1]
