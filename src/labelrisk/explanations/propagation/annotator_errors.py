"""Annotators whose errors can be followed: where each is wrong on test rows, and whose students learned from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelrisk.comparison.claims.contract import Case, Lacking
from labelrisk.comparison.frontier import PointKind, kind_of
from labelrisk.comparison.read_only_arrays import ReadOnlyArrays
from labelrisk.comparison.study import Study
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.error_propagation import errors_of
from labelrisk.statistics.scores import Codes

FEWEST = 10  # rows of which a share is told


@dataclass(frozen=True, eq=False, kw_only=True)
class AnnotatorErrors(ReadOnlyArrays):
    """An annotator's labels of the test rows, (N,), -1 for none; where they are wrong, and where right.

    sources: those that are about it, with what each does; gold: the source whose students never saw its labels, None
    where the study has none.  lacking: why its errors can't be followed, None where they can.
    """

    annotator: str
    given: Codes
    wrong: NDArray[np.bool_]
    right: NDArray[np.bool_]
    sources: Mapping[str, PointKind]
    gold: str | None

    @property
    def compared(self) -> list[str]:
        """The sources and, last, that of gold."""
        return [*self.sources, *([self.gold] if self.gold else [])]

    @property
    def plain(self) -> list[str]:
        """The sources with its labels as they are."""
        return [name for name, kind in self.sources.items() if kind == "plain"]

    @property
    def lacking(self) -> str | None:
        """One sentence."""
        if not (self.given != NO_LABEL).any():
            return f"How errors of {self.annotator} spread can't be told: it has no label of a test row with gold."
        wrong = int(self.wrong.sum())
        if wrong < FEWEST:
            rows = f"{wrong} test row{'s' * (wrong != 1)}"
            return f"How errors of {self.annotator} spread can't be told: it is wrong on {rows} only, and {FEWEST} or "\
                "more are needed."  # fmt: skip
        return None


def annotators_errors(study: Study) -> list[AnnotatorErrors]:
    """One for each annotator or panel, but gold, that a source is about, in the order of params.yaml."""
    settings, gold = study.settings, study.test.gold
    reference, found = gold_source(study), []
    for annotator in settings.labellers:
        kinds = {
            name: kind_of(source, by_gold=False)
            for name, source in settings.sources.items()
            if source.annotator == annotator and not settings.is_gold(annotator)
        }
        sources = {name: kind for name, kind in kinds.items() if kind != "gold"}
        if sources:
            given = study.annotators_on_test[annotator].codes
            found.append(
                AnnotatorErrors(
                    annotator=annotator,
                    given=given,
                    wrong=errors_of(gold, given),
                    right=given == gold,
                    sources=sources,
                    gold=reference,
                )
            )
    return found


def gold_source(study: Study) -> str | None:
    """The source of gold labels as they are: the reference where it is one."""
    try:
        return Case(study, "", "").gold
    except Lacking:
        return None
