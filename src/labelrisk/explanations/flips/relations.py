"""How the votes of a source's seeds spread on test rows, and what that is related to, beside the reference's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.flips.covariates import WRONG, Covariate
from labelrisk.statistics.contrasts import ROUNDING, Contrast, decide
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.ranks import Ranked, Relation, auc, ranked, spearman
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.seed_jackknife import SeedJackknife
from labelrisk.statistics.vote_spread import event_gap, pair_disagreements, vote_entropies

FEWEST = 10  # rows with something being the case, and without it, below which nothing is said of the two


class Spreads(NamedTuple):
    """By source, of the test rows (N,): entropy of the votes, the share of pairs of seeds that disagree, and both
    without each seed.
    """

    entropy: Mapping[str, Floats]
    without: Mapping[str, Sequence[Floats]]
    pairs: Mapping[str, Floats]
    pairs_without: Mapping[str, Sequence[Floats]]


class Gap(NamedTuple):
    """Shares of pairs of seeds that disagree on rows where the annotator is wrong, and right, with their difference."""

    wrong: float
    right: float
    gap: Interval


class Related(NamedTuple):
    """A source's vote entropy and a covariate on `rows` rows; minus the reference's on the same rows, Holm over all.

    Differences are None for the reference, and where nothing varies.  area: AUC, of what is the case or not.
    """

    covariate: Covariate
    source: str
    rows: int
    rho: Interval
    area: Interval | None
    rho_difference: Contrast | None = None
    area_difference: Contrast | None = None
    gap: Gap | None = None
    gap_difference: Contrast | None = None


def spreads_of(evidence: Evidence) -> Spreads:
    """Of two seeds or more."""
    classes = len(evidence.study.classes)
    runs = {name: of.predictions for name, of in evidence.study.students.items()}
    entropies = {name: vote_entropies(of, classes) for name, of in runs.items()}
    pairs = {name: pair_disagreements(of, classes) for name, of in runs.items()}
    return Spreads(
        {name: whole for name, (whole, _) in entropies.items()},
        {name: without for name, (_, without) in entropies.items()},
        {name: whole for name, (whole, _) in pairs.items()},
        {name: without for name, (_, without) in pairs.items()},
    )


def related(evidence: Evidence, spreads: Spreads, covariates: list[Covariate]) -> list[Related]:
    """A line for each covariate and each source that it is told of, in their order."""
    how = evidence.study.settings.evaluate
    lines: dict[tuple[int, str], Related] = {}
    families: dict[str, dict[tuple[int, str], Interval]] = {"rho": {}, "area": {}, "gap": {}}
    ranks = _Ranks(spreads)
    for place, covariate in enumerate(covariates):
        rows = np.flatnonzero(~np.isnan(next(iter(covariate.values.values()))))  # where one source has a value all have
        values = {name: of[rows] for name, of in covariate.values.items()}
        orders = {id(of): ranked(of[rows]) for of in covariate.values.values()}  # mostly one for all sources
        of_rows = {name: orders[id(of)] for name, of in covariate.values.items()}
        rhos = _relations(ranks, rows, values, partial(_rho, of_rows))
        areas = None
        if covariate.is_event:
            areas = _relations(ranks, rows, values, partial(_area, values))
        gaps = _gaps(spreads, covariate, rows)
        for source in values:
            key = (place, source)
            lines[key] = Related(
                covariate,
                source,
                len(rows),
                rhos.of(source, how.confidence),
                areas.of(source, how.confidence) if areas else None,
                gap=_gap(spreads.pairs[source][rows], values[source] == 1, gaps.of(source, how.confidence))
                if gaps
                else None,
            )
            if source != how.reference:
                for family, found in (("rho", rhos), ("area", areas), ("gap", gaps)):
                    if found is not None:
                        families[family][key] = found.difference(source, how.reference, how.confidence)
    decided = {name: _decided(evidence, family) for name, family in families.items()}
    return [
        line._replace(
            rho_difference=decided["rho"].get(key),
            area_difference=decided["area"].get(key),
            gap_difference=decided["gap"].get(key),
        )
        for key, line in lines.items()
    ]


class _Ranks:
    """Ranks of vote entropies on some rows, the last of which are kept: most covariates are of all rows."""

    def __init__(self, spreads: Spreads) -> None:
        self._spreads = spreads
        self._rows: NDArray[np.int64] | None = None
        self._kept: dict[str, tuple[Ranked, list[Ranked]]] = {}

    def on(self, rows: NDArray[np.int64], source: str) -> tuple[Ranked, list[Ranked]]:
        """Of all seeds of a source, and without each in turn."""
        if self._rows is None or not np.array_equal(rows, self._rows):
            self._rows, self._kept = rows, {}
        if source not in self._kept:
            without = [ranked(of[rows]) for of in self._spreads.without[source]]
            self._kept[source] = ranked(self._spreads.entropy[source][rows]), without
        return self._kept[source]


def _relations(
    ranks: _Ranks, rows: NDArray[np.int64], sources: Iterable[str], relation: Callable[[str, Ranked], Relation]
) -> SeedJackknife:
    """Of each source's vote entropies, on some rows."""
    whole, without = {}, {}
    for name in sources:
        every, parts = ranks.on(rows, name)
        whole[name] = relation(name, every)
        without[name] = [relation(name, part) for part in parts]
    return SeedJackknife(whole, without)


def _rho(values: Mapping[str, Ranked], source: str, spread: Ranked) -> Relation:
    return spearman(spread, values[source])


def _area(values: Mapping[str, Floats], source: str, spread: Ranked) -> Relation:
    return auc(spread, values[source] == 1)


def _gaps(spreads: Spreads, covariate: Covariate, rows: NDArray[np.int64]) -> SeedJackknife | None:
    """Where the annotator is wrong, against where it is right."""
    wrong = next(iter(covariate.values.values()))[rows] == 1
    if covariate.name != WRONG or min(wrong.sum(), (~wrong).sum()) < FEWEST:
        return None
    return SeedJackknife(
        {name: event_gap(spreads.pairs[name][rows], wrong) for name in covariate.values},
        {name: [event_gap(of[rows], wrong) for of in spreads.pairs_without[name]] for name in covariate.values},
    )


def _gap(pairs: Floats, wrong: NDArray[np.bool_], found: Interval) -> Gap:
    return Gap(float(pairs[wrong].mean()), float(pairs[~wrong].mean()), found)


def _decided(evidence: Evidence, found: Mapping[tuple[int, str], Interval]) -> dict[tuple[int, str], Contrast]:
    """With Holm's correction over all; what has no interval, or one without width, is left out."""
    how = evidence.study.settings.evaluate
    asked = {key: one for key, one in found.items() if one.error > ROUNDING}
    return dict(zip(asked, decide(list(asked.values()), how.margin, how.confidence), strict=True))
