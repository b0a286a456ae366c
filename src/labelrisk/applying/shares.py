"""Class shares of the rows of a slice: the naive count, and the same corrected, with an interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelrisk.applying.totals import Totals
from labelrisk.classifiers.calibration import Calibration
from labelrisk.statistics.label_shift import LEAST_ROWS, corrected_shares, is_refuted
from labelrisk.statistics.powered_shares import FEWEST, powered_shares
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.shares import Share

SHIFT, GOLD = "label shift", "PPI++"
FEWEST_ROWS = 30  # of which a mean is about normal


class ClassShares(NamedTuple):
    """naive (K,): shares of the labels as they are; corrected: None where that can't be done, and why; method: how.

    refuted: what is taken for granted (label shift) surely does not hold.
    """

    rows: int
    naive: Floats
    corrected: list[Share] | None
    method: str
    why_not: str | None
    refuted: bool = False


def class_shares(
    totals: Totals, calibration: Calibration | None, *, has_gold: bool, whole: Totals
) -> ClassShares | None:
    """The shares of the rows of `totals`, a part of `whole`; None without a label.

    With gold for some rows by these (a row that was drawn with no known chance counts as drawn at random from the
    whole); else under label shift, by the test rows of the study.
    """
    rows, method = totals.rows, GOLD if has_gold else SHIFT
    if not rows:
        return None
    naive = totals.labels / rows
    if calibration is None:
        return ClassShares(rows, naive, None, method, "there is no calibration")
    if rows < FEWEST_ROWS:
        return ClassShares(rows, naive, None, method, f"they are of fewer than {FEWEST_ROWS} rows")
    if not has_gold:
        how = (totals.answers, calibration.known, calibration.gold, calibration.form.confidence)
        found = corrected_shares(*how)
        why = (
            f"a class has fewer than {LEAST_ROWS} test rows, or the classifier tells classes of the test rows not apart"
        )
        return ClassShares(rows, naive, found, method, None if found else why, is_refuted(*how))
    given, gold, drawn = totals.coded
    if len(gold) < FEWEST:
        return ClassShares(rows, naive, None, method, f"{len(gold)} rows have gold, and {FEWEST} are needed")
    drawn = np.where(np.isnan(drawn), whole.with_gold / whole.rows, drawn)
    outcomes = np.eye(len(naive))[gold]
    found = powered_shares(totals.answers.mean, rows, given, outcomes, drawn, calibration.form.confidence)
    return ClassShares(rows, naive, found, method, None)
