"""Selective use: answer only rows that one is sure enough of, so that a stated share of answers at most is wrong.

Angelopoulos, Bates, Candes, Jordan & Lei (2021), *Learn then Test: Calibrating Predictive Algorithms to Achieve Risk
Control*, arXiv 2110.01052: thresholds are hypotheses, "of the rows answered at this threshold more than `risk` are
wrong".  How many of n answered rows are wrong is binomial, given n, so that its p-value is exact; thresholds and their
order are fixed by other rows than those that are counted, and errors are spent along that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.certificates import fewest_rows, lower_bound, p_above, upper_bound
from labelrisk.statistics.scores import Floats

STEPS = 20  # thresholds, from the strictest to that of all rows
AMPLE = 1.5  # times as many rows as certify without an error, at the strictest
FEWEST_KNOWN = 20  # rows whose probabilities can tell where thresholds belong
DIGITS = 6  # of a threshold, so that the one that is tested can be written down
GIVEN = (0.9999, 0.999, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.0)  # where no rows tell


class Family(NamedTuple):
    """Thresholds (M,), the strictest first, and the share of the level at which each starts (M,), sum 1."""

    thresholds: Floats
    weights: Floats


class Tested(NamedTuple):
    """By threshold, (M,): rows answered, errors among them, p-value, whether it is certified.

    chosen: the place of the certified threshold that answers most, None without one.
    """

    thresholds: Floats
    answered: NDArray[np.int64]
    errors: NDArray[np.int64]
    p: Floats
    certified: NDArray[np.bool_]
    chosen: int | None


class SliceRisk(NamedTuple):
    """On one slice at the chosen threshold: rows answered, errors, and bounds that hold for all slices together."""

    answered: int
    errors: int
    low: float
    high: float


def family_of(known: Floats, known_wrong: NDArray[np.bool_], rows: int, risk: float, level: float) -> Family:
    """Thresholds for `rows` rows, from how sure other rows were answered, (V,), nan where not at all, and errors there.

    These must not be of the rows that are tested; that they aren't quite like them costs power alone.  The sequence
    starts where they say that a certificate is likeliest (split fixed sequence), with all of the level, and goes on to
    answer more.  Fewer than FEWEST_KNOWN rows tell nothing: then thresholds are those of GIVEN, and each has its even
    share of the level.  Thresholds have DIGITS digits and lie below 1, so that what is tested is what can be told.
    """
    from scipy.special import bdtr
    from scipy.stats import binom

    order = np.argsort(-known, kind="stable")[: int(np.isfinite(known).sum())]  # nan last
    if len(order) < FEWEST_KNOWN:
        return Family(np.array(GIVEN), np.full(len(GIVEN), 1 / len(GIVEN)))
    shares = np.linspace(min(AMPLE * fewest_rows(0, risk, level) / rows, 1.0), 1, STEPS)
    places = np.maximum((shares * len(order)).astype(np.int64), 1)
    rates = (np.cumsum(known_wrong[order])[places - 1] + 0.5) / (places + 1)  # never 0, for few rows show little
    expected = np.maximum((shares * rows).astype(np.int64), 1)
    allowed = binom.ppf(level, expected, risk) - 1  # errors; below 0 where even none is too many
    chances = np.where(allowed >= 0, bdtr(np.maximum(allowed, 0), expected, rates), 0.0)
    strict = known[order][places - 1][shares < 1][int(np.argmax(chances)) :]
    thresholds = np.unique(np.append(_written(strict), 0.0))[::-1]
    return Family(thresholds, np.eye(len(thresholds))[0])


def _written(thresholds: Floats) -> Floats:
    """Rounded down to DIGITS digits, for up would leave out the rows they are taken from; that of .9 in single
    precision is .9.
    """
    units = 10**DIGITS
    found: Floats = np.minimum(np.floor(np.round(thresholds * units, 1)), units - 1) / units
    return found


def counts_at(sure: Floats, wrong: NDArray[np.bool_], thresholds: Floats) -> tuple[Any, Any]:
    """Rows that are answered at each threshold, and errors among them, (M,) each; a row of nan is never answered.

    sure (N,): the probability of the answer; wrong (N,).  Both are compared in single precision, as files hold
    probabilities: there .9 is at least .9.
    """
    sure, thresholds = sure.astype(np.float32), thresholds.astype(np.float32)
    order = np.argsort(-sure, kind="stable")  # nan last
    answered = np.searchsorted(-sure[order][: np.isfinite(sure).sum()], -thresholds, side="right")
    errors = np.append(0, np.cumsum(wrong[order]))[answered]
    return answered.astype(np.int64), errors.astype(np.int64)


def certified(p: Floats, weights: Floats, level: float) -> NDArray[np.bool_]:
    """Which hypotheses of a sequence are rejected, (M,), none of them wrongly with a chance of 1 - level.

    Each is tested at its share of the level and all that the one before it was tested at, if that was rejected.  With
    all weight on the first this is the fixed sequence (Maurer, Hothorn & Lehmacher 1995), and ends at the first that
    is not; else the fallback procedure (Wiens, "A Fixed Sequence Bonferroni Procedure", 2003).
    """
    found = np.zeros(len(p), dtype=bool)
    carried = 0.0
    for place, (one, weight) in enumerate(zip(p, weights, strict=True)):
        spent = carried + weight * level
        found[place] = spent > 0 and one <= spent
        carried = spent if found[place] else 0.0
    return found


def certify(sure: Floats, wrong: NDArray[np.bool_], family: Family, risk: float, level: float) -> Tested:
    """The certificate: with a chance of 1 - level no certified threshold truly has more than `risk` of errors.

    sure (N,): the probability of the answer, nan for none; wrong (N,).
    """
    answered, errors = counts_at(sure, wrong, family.thresholds)
    p = p_above(errors, answered, risk)
    found = certified(p, family.weights, level)
    chosen = int(np.flatnonzero(found)[-1]) if found.any() else None
    return Tested(family.thresholds, answered, errors, p, found, chosen)


def slice_risks(
    sure: Floats, wrong: NDArray[np.bool_], slices: Sequence[NDArray[np.int64]], of: Tested, level: float
) -> list[SliceRisk]:
    """The risk on each slice at the chosen threshold, bounded for all slices and all thresholds that might be chosen.

    The rows of slices had a say in the choice, so that each of the M thresholds counts: both bounds are Clopper &
    Pearson's at level / (M S), and either side of all of them is broken with a chance of at most `level`.
    """
    assert of.chosen is not None
    confidence = 1 - level / (len(of.thresholds) * max(len(slices), 1))
    threshold = of.thresholds[of.chosen : of.chosen + 1]
    found = []
    for rows in slices:
        (answered,), (errors,) = counts_at(sure[rows], wrong[rows], threshold)
        bounds = (float(bound(errors, answered, confidence)) for bound in (lower_bound, upper_bound))
        found.append(SliceRisk(int(answered), int(errors), *bounds))
    return found


def risk_curve(sure: Floats, wrong: NDArray[np.bool_], least: int, points: int) -> tuple[Any, Any]:
    """Rows that are answered and errors among them, (P,) each, at most `points` of them, from `least` rows on."""
    kept = np.sort(sure[np.isfinite(sure)])[::-1]
    if len(kept) < least:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    places = np.unique(np.linspace(least, len(kept), points).astype(np.int64)) - 1
    return counts_at(sure, wrong, np.unique(kept[places])[::-1])
