"""How far two annotators agree on the rows that both labelled, with intervals over rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelrisk.statistics.agreement import alpha_influences, kappa, krippendorff_alpha
from labelrisk.statistics.intervals import Interval, rows_interval
from labelrisk.statistics.scores import Codes, Floats
from labelrisk.statistics.shares import Share, wilson

UNDEFINED = Interval(*[float("nan")] * 5)


class PairAgreement(NamedTuple):
    """Share of rows with the same label, Cohen's kappa and Krippendorff's alpha."""

    agreement: Share
    kappa: Interval
    alpha: Interval


def pair_agreement(one: Codes, other: Codes, classes: int, confidence: float) -> PairAgreement:
    """Of labels (N,) each, none of them missing, N >= 2.

    kappa and alpha are undefined (nan) where both give one and the same class to all rows.
    """
    same = wilson(int((one == other).sum()), len(one), confidence)
    of_kappa, of_alpha = kappa(one, other), krippendorff_alpha(np.stack([one, other]), classes)
    if np.isnan(of_alpha):
        return PairAgreement(same, UNDEFINED, UNDEFINED)
    influences = alpha_influences(np.stack([one, other]), classes)
    return PairAgreement(
        same,
        _below_one(rows_interval(of_kappa, kappa_influences(one, other, classes), confidence)),
        _below_one(rows_interval(of_alpha, influences, confidence)),
    )


def kappa_influences(one: Codes, other: Codes, classes: int) -> Floats:
    """How much each row moves kappa, centred: labels (N,) each, not all of one class -> (N,).

    With observed agreement o and expected e = sum_c f_c g_c: ([x = y] - o) / (1 - e) - (1 - o) (g_x + f_y - 2 e) /
    (1 - e)^2.  Fleiss, Cohen & Everitt, "Large Sample Standard Errors of Kappa and Weighted Kappa" (1969).
    """
    f, g = (np.bincount(codes, minlength=classes) / len(codes) for codes in (one, other))
    same, expected = one == other, float(f @ g)
    observed = float(same.mean())
    values: Floats = (same - observed) / (1 - expected)
    return values - (1 - observed) * (g[one] + f[other] - 2 * expected) / (1 - expected) ** 2


def _below_one(found: Interval) -> Interval:
    """Agreement can't pass 1."""
    return found._replace(high=min(found.high, 1.0))
