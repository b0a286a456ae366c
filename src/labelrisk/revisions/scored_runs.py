"""The students of two revisions on the test rows that both have: scores, and how much each row moves them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelrisk.comparison.runs import ReadRun
from labelrisk.comparison.study import students_of
from labelrisk.errors import LabelRiskError
from labelrisk.revisions.snapshot import RUNS, Snapshot
from labelrisk.statistics.class_codes import NO_LABEL, codes_of
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import Codes, Floats, macro_f1

FEWEST_ROWS = 2


class ScoredRuns(NamedTuple):
    """Of the sources in both revisions what macro-F1 varies by, and which have the same answers on both sides.

    rows: those compared on, of so many before and after; golds_differ: on how many of them.  `key` names a source of a
    side.
    """

    variances: RunVariances
    unchanged: set[str]
    rows: tuple[int, int, int]
    golds_differ: int


class _Side(NamedTuple):
    """One revision's test rows with gold: by id their codes; the students' answers; seeds; classes."""

    gold: pd.Series
    read: ReadRun
    seeds: list[int]
    classes: list[str]


def key(source: str, side: int) -> str:
    """The name of a source of a revision, among the systems: 0 before, 1 after."""
    return f"{side} {source}"


def scored_runs(before: Snapshot, after: Snapshot, sources: list[str]) -> ScoredRuns | None:
    """Each revision's students against its own gold labels, on common rows, paired row by row; None where runs, gold
    or classes of one can't be read.
    """
    try:
        sides = [_side(study, sources) for study in (before, after)]
        one, other = sides
        if one is None or other is None:
            return None
        ids = other.gold.index[other.gold.index.isin(one.gold.index)]
        if len(ids) < FEWEST_ROWS:
            return None
        golds = [np.asarray(of.gold.loc[ids], dtype=np.int64) for of in (one, other)]
        scores: dict[str, Floats] = {}
        influences: dict[str, NDArray[Any]] = {}
        unchanged = set()
        names = [np.asarray(of.classes, dtype=object) for of in (one, other)]
        for source in sources:
            predicted = []
            for place, (of, gold) in enumerate(zip((one, other), golds, strict=True)):
                probabilities = np.stack([of.read(source, seed).of_split("test", ids) for seed in of.seeds])
                students = students_of(gold, probabilities)
                predicted.append(names[place][students.predictions])
                name = key(source, place)
                scores[name] = macro_f1(students.counts)
                influences[name] = row_influences(gold, students.predictions, students.counts, macro_f1)
            if np.array_equal(predicted[0], predicted[1]) and _same_names(golds, names):
                unchanged.add(source)
    except LabelRiskError as error:
        after.revision.unread.setdefault(RUNS, str(error))
        return None
    differ = int((names[0][golds[0]] != names[1][golds[1]]).sum())
    rows = (len(ids), len(one.gold), len(other.gold))
    return ScoredRuns(RunVariances.of_influences(scores, influences), unchanged, rows, differ)


def _side(study: Snapshot, sources: list[str]) -> _Side | None:
    if not sources or not study.seeds or study.runs is None or study.gold is None or not study.classes:
        return None
    first = study.runs(sources[0], study.seeds[0])
    ids = first.ids[first.splits == "test"]
    codes: Codes = codes_of(study.gold.reindex(ids), study.classes)
    known = codes != NO_LABEL
    return _Side(pd.Series(codes[known], index=ids[known]), study.runs, study.seeds, study.classes)


def _same_names(golds: list[NDArray[np.int64]], names: list[NDArray[np.object_]]) -> bool:
    return bool((names[0][golds[0]] == names[1][golds[1]]).all())
