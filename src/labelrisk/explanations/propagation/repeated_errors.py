"""What students make of their annotator's errors: repeat, correct, or err otherwise; and what they invent."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.study import Study
from labelrisk.explanations.propagation.annotator_errors import FEWEST, AnnotatorErrors
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.error_propagation import error_consistency, repeats_beyond_chance
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.row_means import difference_of_shares, mean_variances, share_interval
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import confusion

UNKNOWN = Interval(*[float("nan")] * 5)


class Compared(NamedTuple):
    """A number of a source's students, the same of gold's students on the same rows, and their paired difference."""

    own: Interval
    gold: Interval
    difference: Interval


class Repeats(NamedTuple):
    """Of a source: shares of the rows on which the annotator is wrong, `invented` of those on which it is right.

    repeated: the same wrong label; corrected: gold.  chance: what a student with the same confusion matrix repeats, if
    given gold it is independent of the annotator; excess: repeated minus chance.  consistency: kappa of being right.
    """

    repeated: Compared
    chance: float
    gold_chance: float
    excess: Compared
    corrected: Compared
    invented: Compared
    consistency: Compared


def repeats_of(study: Study, of: AnnotatorErrors) -> dict[str, Repeats]:
    """By source that is about the annotator."""
    gold, runs = study.test.gold, {name: study.students[name].predictions for name in of.compared}
    repeated = {name: run[:, of.wrong] == of.given[of.wrong] for name, run in runs.items()}
    corrected = {name: run[:, of.wrong] == gold[of.wrong] for name, run in runs.items()}
    invented = {name: run[:, of.right] != gold[of.right] for name, run in runs.items()}
    beyond = {name: repeats_beyond_chance(gold, of.given, run, len(study.classes)) for name, run in runs.items()}
    excess = RunVariances.of_influences(
        {name: one.repeated - one.chance for name, one in beyond.items()},
        {name: one.influences - one.influences.mean(axis=1, keepdims=True) for name, one in beyond.items()},
    )
    parts = [compared_shares(study, of, values) for values in (repeated, corrected, invented)]
    consistency = _compared(study, of, _consistency(study, of)) if of.right.sum() >= FEWEST else {}
    nothing = Compared(UNKNOWN, UNKNOWN, UNKNOWN)
    chances = {name: float(one.chance.mean()) for name, one in beyond.items()}
    return {
        name: Repeats(
            repeated=parts[0][name],
            chance=chances[name],
            gold_chance=chances.get(of.gold or "", float("nan")),
            excess=_compared(study, of, excess)[name],
            corrected=parts[1][name],
            invented=parts[2][name],
            consistency=consistency.get(name, nothing),
        )
        for name in of.sources
    }


def compared_shares(study: Study, of: AnnotatorErrors, values: dict[str, NDArray[Any]]) -> dict[str, Compared]:
    """By source: shares of rows, from values (R, n) of 0 and 1 of the same rows; unknown for fewer than FEWEST rows."""
    rows = next(iter(values.values())).shape[1]
    if rows < FEWEST:
        return dict.fromkeys(of.sources, Compared(UNKNOWN, UNKNOWN, UNKNOWN))
    confidence = study.settings.evaluate.confidence
    return {
        name: Compared(
            share_interval(own, rows, confidence),
            share_interval(gold, rows, confidence),
            difference_of_shares(difference),
        )
        for name, (own, gold, difference) in _compared(study, of, mean_variances(values)).items()
    }


def _compared(study: Study, of: AnnotatorErrors, variances: RunVariances) -> dict[str, Compared]:
    confidence = study.settings.evaluate.confidence
    found = {}
    for name in of.sources:
        own, gold, difference = variances.mean(name, confidence), UNKNOWN, UNKNOWN
        if of.gold is not None:
            gold = variances.mean(of.gold, confidence)
            difference = variances.difference(name, of.gold, confidence)
        found[name] = Compared(own, gold, difference)
    return found


def _consistency(study: Study, of: AnnotatorErrors) -> RunVariances:
    labelled = of.given != NO_LABEL
    gold, right = study.test.gold[labelled], of.right[labelled].astype(np.int64)
    runs = {name: (study.students[name].predictions[:, labelled] == gold).astype(np.int64) for name in of.compared}
    counts = {name: np.stack([confusion(right, run, 2) for run in of_source]) for name, of_source in runs.items()}
    return RunVariances(right, runs, counts, error_consistency)
