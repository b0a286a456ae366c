"""All that is known of an annotator's errors and of what its students make of them, with Holm over all sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from labelrisk.comparison.frontier import PointKind
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.propagation.annotator_errors import AnnotatorErrors, annotators_errors
from labelrisk.explanations.propagation.chance import Predictability, RandomCost, predictability, random_cost
from labelrisk.explanations.propagation.look_alike_errors import (
    LookAlikeRates,
    LookAlikes,
    look_alike_rates,
    look_alikes_of,
    neighbourhoods,
)
from labelrisk.explanations.propagation.repeated_errors import Repeats, repeats_of
from labelrisk.explanations.propagation.terms import ErrorTerms, terms_of
from labelrisk.sources.source import Source
from labelrisk.statistics.contrasts import Contrast, decide
from labelrisk.statistics.scores import Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class OfSource:
    """What students of a source make of the annotator's errors.

    taught: repeated minus that of gold's students, with Holm over all sources; None without a source of gold.
    terms: see terms_of; random: see random_cost.
    """

    name: str
    kind: PointKind
    repeats: Repeats
    look_alikes: LookAlikes
    terms: list[ErrorTerms]
    random: RandomCost | None
    taught: Contrast | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Followed:
    """An annotator's errors, followed.  learned: by source, the shares of Neighbourhoods."""

    errors: AnnotatorErrors
    sources: Mapping[str, OfSource]
    rates: LookAlikeRates
    predictable: Predictability | None
    learned: Mapping[str, Floats | None]


def followed_errors(evidence: Evidence) -> tuple[list[Followed], list[str]]:
    """Of each annotator whose errors can be followed; and why those of others can't."""
    every = annotators_errors(evidence.study)
    errors = [of for of in every if of.lacking is None]
    near = neighbourhoods(evidence, errors)
    confidence = evidence.study.settings.evaluate.confidence
    found = [
        Followed(
            errors=of,
            sources=_of_sources(evidence, of, near.of_sources),
            rates=look_alike_rates(of, near.of_annotators[of.annotator], confidence),
            predictable=predictability(evidence, of.annotator),
            learned=near.of_sources,
        )
        for of in errors
    ]
    return _judged(evidence, found), [of.lacking for of in every if of.lacking is not None]


def _of_sources(evidence: Evidence, of: AnnotatorErrors, learned: Mapping[str, Floats | None]) -> dict[str, OfSource]:
    repeats, declared = repeats_of(evidence.study, of), evidence.study.settings.sources
    return {
        name: OfSource(
            name=name,
            kind=kind,
            repeats=repeats[name],
            look_alikes=look_alikes_of(evidence, of, name, learned[name]),
            terms=terms_of(evidence, of, name) if _as_given(declared[name]) else [],
            random=random_cost(evidence.study, of, name) if kind == "plain" else None,
        )
        for name, kind in of.sources.items()
    }


def _as_given(source: Source) -> bool:
    """Whether students learn what the annotator gave, be it labels, probabilities or weights: what the terms assume."""
    return not (source.select or source.action or source.repair or source.noise or source.control)


def _judged(evidence: Evidence, found: list[Followed]) -> list[Followed]:
    how = evidence.study.settings.evaluate
    asked = [(of.errors.annotator, name) for of in found if of.errors.gold is not None for name in of.sources]
    by_annotator = {of.errors.annotator: of for of in found}
    differences = [by_annotator[annotator].sources[name].repeats.repeated.difference for annotator, name in asked]
    decided = dict(zip(asked, decide(differences, how.margin, how.confidence), strict=True))
    return [
        replace(
            of,
            sources={
                name: replace(one, taught=decided.get((of.errors.annotator, name))) for name, one in of.sources.items()
            },
        )
        for of in found
    ]
