"""Pairs of annotators on the rows of a split that have gold: how far they agree, and which errors they share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from labelrisk.comparison.study import AnnotatorLabels, Study
from labelrisk.statistics.agreement import krippendorff_alpha
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.contrasts import holm
from labelrisk.statistics.pair_agreement import PairAgreement, pair_agreement
from labelrisk.statistics.scores import Codes
from labelrisk.statistics.shared_errors import Shared, cells, errors_in_common, same_errors

FEWEST = 2  # rows that both labelled: of one nothing varies
TWO = 2  # classes of which one is wrong, so that both being wrong is being wrong alike


class Pair(NamedTuple):
    """Two annotators on one split.

    rows: that both labelled; unlabelled: gold rows that one of them or both did not.  related: one is a panel of which
    the other is a member, or both are panels with a member in common, so that they agree by construction.
    """

    split: str
    one: str
    other: str
    rows: int
    unlabelled: int
    related: bool
    agreement: PairAgreement
    wrong: Shared
    alike: Shared


class Judged(NamedTuple):
    """A pair with the p-values of its shared errors, adjusted by Holm over all unrelated pairs of the split.

    p_wrong, p_alike: None for a related pair; p_alike is None with two classes, too, where it would be p_wrong.
    """

    pair: Pair
    p_wrong: float | None
    p_alike: float | None

    def says(self, level: float) -> str:
        """Whether errors are shared beyond chance: 'shared', 'shared less', 'not decided', or 'by construction'."""
        if self.p_wrong is None:
            return "by construction"
        parts = (self.says_wrong(level), self.says_alike(level))
        return next((said for said in parts if said != "not decided"), "not decided")

    def says_wrong(self, level: float) -> str:
        """The same of rows where both are wrong alone."""
        return _says(self.p_wrong, self.pair.wrong, level)

    def says_alike(self, level: float) -> str:
        """The same of rows with one and the same wrong label alone."""
        return _says(self.p_alike, self.pair.alike, level)


def _says(p: float | None, found: Shared, level: float) -> str:
    if p is None or p >= level:
        return "not decided"
    return "shared" if found.excess.estimate > 0 else "shared less"


def compared(study: Study, split: str) -> dict[str, AnnotatorLabels]:
    """Annotators and panels that labelled any gold row of the split, gold and second opinions left out.

    A second opinion is asked about the rows that another annotator doubts: what it shares there is no matter of chance.
    """
    given = study.annotators_on_test if split == "test" else study.annotators_on_train
    return {name: of for name, of in given.items() if of.has_labels and name not in study.settings.second_opinions}


def judged_pairs(study: Study, split: str) -> list[Judged]:
    """All pairs of a split that labelled at least two of its gold rows in common, in the order of params.yaml."""
    golds = {"test": study.test.gold, "train": study.train.gold}
    given = compared(study, split)
    found = [
        pair
        for one, other in combinations(given, 2)
        if (pair := _pair(study, split, golds[split], one, other, given)) is not None
    ]
    asked = [
        (place, name)
        for place, pair in enumerate(found)
        if not pair.related
        for name in (("wrong", "alike") if len(study.classes) > TWO else ("wrong",))
    ]
    p = dict(zip(asked, holm([getattr(found[place], name).p for place, name in asked]), strict=True))
    return [Judged(pair, p.get((place, "wrong")), p.get((place, "alike"))) for place, pair in enumerate(found)]


def alpha_of_all(study: Study, split: str) -> float | None:
    """Krippendorff's alpha of all annotators that are no panel, on rows that two or more labelled; None: undefined."""
    runs = [of.codes for name, of in compared(study, split).items() if name not in study.settings.panels]
    alpha = krippendorff_alpha(np.stack(runs), len(study.classes)) if len(runs) > 1 else np.nan
    return None if np.isnan(alpha) else alpha


def _pair(
    study: Study, split: str, gold: Codes, one: str, other: str, given: Mapping[str, AnnotatorLabels]
) -> Pair | None:
    classes, confidence = len(study.classes), study.settings.evaluate.confidence
    x, y = given[one].codes, given[other].codes
    both = (x != NO_LABEL) & (y != NO_LABEL)
    if both.sum() < FEWEST:
        return None
    counted = cells(gold, x, y, classes)
    return Pair(
        split=split,
        one=one,
        other=other,
        rows=int(both.sum()),
        unlabelled=int((~both).sum()),
        related=bool(set(study.settings.members(one)) & set(study.settings.members(other))),
        agreement=pair_agreement(x[both], y[both], classes, confidence),
        wrong=errors_in_common(counted, confidence),
        alike=same_errors(counted, confidence),
    )
