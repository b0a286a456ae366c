"""How good ensembles of so many seeds of one source are, and how far two of them agree: drawn anew from its seeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from labelrisk.comparison.stability import FEWEST
from labelrisk.comparison.study import Students
from labelrisk.settings.ensembles import EnsemblesSettings
from labelrisk.statistics.ensemble_redraws import (
    agreement_interval,
    agreement_of_pairs,
    disjoint_pairs,
    extrapolated,
    seeds_part,
    subset_votes,
    subsets,
)
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import Component, Interval, rows_interval
from labelrisk.statistics.scores import Codes, Floats, accuracy, confusion, macro_f1

FIVE = 5  # members of the ensemble whose stability is asked for


class Size(NamedTuple):
    """Ensembles of so many students.

    drawn, pairs: how many of them, and of disjoint two, were looked at; macro_f1, accuracy: their means; gain: in
    macro-F1 over a single student, about other rows alone; alpha, p_uc: of disjoint two, None where there are none.
    """

    members: int
    drawn: int
    macro_f1: float
    accuracy: float
    gain: Interval
    pairs: int
    alpha: Interval | None
    p_uc: Interval | None


def sizes(students: Students, gold: Codes, settings: EnsemblesSettings, confidence: float) -> Iterator[Size]:
    """Ensembles of 1 to all R students of a source, agreement up to R / 2 members; nothing of a single student."""
    runs, _, classes = students.probabilities.shape
    generator = np.random.default_rng(settings.seed)
    seeds = seeds_part(students.predictions, classes) if runs >= FEWEST else Component(0.0, 0.0)
    single: tuple[float, Floats] | None = None
    for members in range(1, runs + 1) if runs > 1 else ():
        pairs = disjoint_pairs(runs, members, settings.redraws, generator) if 2 * members <= runs else []
        chosen = list(dict.fromkeys(one for pair in pairs for one in pair))
        chosen = chosen or subsets(runs, members, settings.redraws, generator)
        votes = subset_votes(students.probabilities, chosen)
        counts = np.stack([confusion(gold, one, classes) for one in votes])
        scores = macro_f1(counts)
        of_rows = row_influences(gold, votes, counts, macro_f1).mean(axis=0)
        single = single or (float(scores.mean()), of_rows)
        alpha = p_uc = None
        if pairs:
            places = np.array([[chosen.index(one) for one in pair] for pair in pairs])
            found = agreement_of_pairs(votes, places, classes)
            alpha = agreement_interval(found.alpha, found.alpha_influences, seeds, confidence)
            p_uc = agreement_interval(found.p_uc, found.p_uc_influences, seeds, confidence)
        yield Size(
            members=members,
            drawn=len(chosen),
            macro_f1=float(scores.mean()),
            accuracy=float(accuracy(counts).mean()),
            gain=rows_interval(float(scores.mean()) - single[0], of_rows - single[1], confidence),
            pairs=len(pairs),
            alpha=alpha,
            p_uc=p_uc,
        )


def alpha_of_five(found: list[Size]) -> float:
    """Alpha of two ensembles of five, extrapolated from ensembles of one and two; nan where these are not there."""
    known = {one.members: one.alpha.estimate for one in found if one.alpha is not None}
    return extrapolated(known[1], known[2], FIVE) if {1, 2} <= known.keys() else float("nan")
