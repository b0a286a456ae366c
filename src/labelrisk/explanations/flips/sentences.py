"""What flips say in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from labelrisk.comparison.verdicts import bounds, points
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.flips.covariates import ENTROPY, WRONG
from labelrisk.explanations.flips.relations import FEWEST, Related, Spreads
from labelrisk.explanations.phrases import NAMED, UNDECIDED, percent_level, reference_first, short
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval

TABLE = "flips.csv"


def flip_sentences(
    evidence: Evidence, flipped: Mapping[str, Interval], spreads: Spreads, lines: Sequence[Related]
) -> list[str]:
    """How much flips; is it where the annotator is wrong; what else it is related to; what could not be told."""
    how, seeds = evidence.study.settings.evaluate, len(evidence.study.settings.seeds)
    order = reference_first(flipped, how.reference, lambda name: flipped[name].estimate)
    parts = [
        f"{name} {_percent(flipped[name])}, two seeds on {points(float(spreads.pairs[name].mean()))} %"
        for name in order
    ]
    over = "over rows alone, for two seeds tell nothing of others" if seeds == 2 else "over rows and seeds"
    says = [
        f"The {seeds} seeds of a source's students do not all agree on this share of test rows "
        f"({percent_level(how.confidence)} intervals throughout, {over}): {short(parts, 'flips.json', 1 + NAMED)}."
    ]
    told = [line for line in lines if line.covariate.name == WRONG and line.gap is not None]
    references = {line.covariate.annotator: line for line in told if line.source == how.reference}
    sources = [line for line in told if line.source != how.reference]
    if sources:
        says.append(_concentrated(evidence, sources))
    level = 1 - how.confidence
    says += [
        _where_wrong(line, references[line.covariate.annotator], how.reference, level)
        for line in sorted(sources, key=_added, reverse=True)[:NAMED]
    ]
    if len(sources) > NAMED:
        says.append(f"These are the largest of {len(sources)} such differences; {TABLE} has the others.")
    for covariate, of in groupby(lines, key=lambda line: line.covariate[:2]):
        told_before = covariate[0] == WRONG and covariate[1] in references
        says += [] if told_before else _relation(evidence, list(of))
    says.append(
        f"Entropies of {seeds} votes are too small by chance and hold much of it, so that relations with them look "
        "weaker than they are, the more so the less a source flips; shares of pairs of seeds do not depend on how many "
        "there are."
    )
    return says + _lacking(evidence, lines)


def _percent(found: Interval) -> str:
    return f"{points(found.estimate)} [{points(found.low)}, {points(found.high)}] %"


def _number(found: Interval | Contrast) -> str:
    return f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _added(line: Related) -> float:
    """How much the labels add, whichever way, to what makes rows hard for the reference's students, too."""
    return abs(line.gap_difference.estimate) if line.gap_difference else 0.0


def _where_wrong(line: Related, control: Related, reference: str, level: float) -> str:
    gap, usual, area = line.gap, control.gap, line.area
    assert gap is not None
    assert usual is not None
    assert area is not None
    added = ""
    if line.gap_difference:
        sure = "surely so" if line.gap_difference.p_different < level else UNDECIDED
        added = f"; that the labels add {bounds(line.gap_difference)} points is {sure}"
    return (
        f"Two seeds of {line.source} disagree on {points(gap.wrong)} % of the rows where {line.covariate.annotator} is "
        f"wrong and on {points(gap.right)} % of those where it is right, {bounds(gap.gap)} points (AUC "
        f"{_number(area)}), and of {reference}, on the same rows, {bounds(usual.gap)} points{added}."
    )


def _concentrated(evidence: Evidence, lines: Sequence[Related]) -> str:
    """Is instability where the annotator is wrong, beyond what makes rows hard for the reference, too?"""
    how = evidence.study.settings.evaluate
    sure = [line for line in lines if line.gap_difference and line.gap_difference.p_different < 1 - how.confidence]
    more = [line.source for line in sure if line.gap_difference and line.gap_difference.estimate > 0]
    less = [line.source for line in sure if line.gap_difference and line.gap_difference.estimate < 0]
    rest = [line.source for line in lines if line.source not in (*more, *less)]
    parts = []
    if more:
        parts.append(f"surely so for {_names(more)}")
    if less:
        parts.append(f"surely less than for {how.reference} for {_names(less)}")
    if rest:
        parts.append(f"it can't be told for {_names(rest)}")
    return (
        "Is instability concentrated where the annotator is wrong, beyond what makes rows hard for students of "
        f"{how.reference}, too (Holm over all sources)? By these numbers {'; '.join(parts)}."
    )


def _names(sources: Sequence[str]) -> str:
    return short(list(dict.fromkeys(sources)), TABLE, between=", ")


def _relation(evidence: Evidence, lines: Sequence[Related]) -> list[str]:
    how, words = evidence.study.settings.evaluate, lines[0].covariate.words
    known = [line for line in lines if line.rho.low <= line.rho.high]  # neither is nan
    if not known:
        return [f"Vote entropy has no rank correlation with {words}: one of them never varies."]
    by_source = {line.source: line for line in known}
    order = reference_first(by_source, how.reference, lambda name: abs(by_source[name].rho.estimate))
    parts = [
        f"{line.source} {_number(line.rho)}"
        + ("*" if line.rho_difference and line.rho_difference.p_different < 1 - how.confidence else "")
        for line in map(by_source.__getitem__, order)
    ]
    most = NAMED + (how.reference in by_source)
    marked = any(part.endswith("*") for part in parts[:most])
    note = f" (*: surely another than that of {how.reference}, Holm over all)" if marked else ""
    return [f"Rank correlation of vote entropy with {words}: {short(parts, TABLE, most)}{note}."]


def _lacking(evidence: Evidence, lines: Sequence[Related]) -> list[str]:
    """Which questions have no answer here."""
    study, reference = evidence.study, evidence.study.settings.evaluate.reference
    told = {(line.covariate.name, line.covariate.annotator) for line in lines}
    # the reference is what others are held against: its own annotator is asked about where others have it, too
    others = {source.annotator for name, source in study.settings.sources.items() if name != reference}
    labels = others & set(evidence.given["test"])
    says = []
    if silent := sorted(name for name in labels if (ENTROPY, name) not in told):
        says.append(f"Without probabilities of test rows there is no entropy of {_names(silent)}.")
    few = {line.covariate.annotator for line in lines if line.covariate.name == WRONG and line.gap is None}
    unlabelled = {name for name in labels if (WRONG, name) not in told}
    if names := sorted(name for name in (few | unlabelled) if name is not None):
        says.append(f"Fewer than {FEWEST} test rows are wrong, or right, of {_names(names)}: too few to compare.")
    return says
