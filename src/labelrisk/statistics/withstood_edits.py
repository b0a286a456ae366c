"""Labels that flip under edits of their text: which, after how many edits, and from right to wrong or back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.contrasts import ROUNDING
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import Codes
from labelrisk.statistics.shares import wilson_at

Flags = NDArray[np.bool_]


def flips(unedited: Codes, edited: Codes) -> Flags:
    """Whether the label of an edited text is another one: unedited (R, N), edited (R, V, N) -> (R, V, N)."""
    found: Flags = edited != unedited[:, None]
    return found


def flipped_by(chains: Flags) -> Flags:
    """Whether a label has flipped after so many edits or fewer: flips after 1, 2, ... edits (R, M, N) -> (R, M, N).

    It stays so when a later edit turns the label back: the first flip is what counts.
    """
    found: Flags = np.logical_or.accumulate(chains, axis=1)
    return found


def withstood(chains: Flags) -> NDArray[np.int64]:
    """How many of M edits a label withstands before its first flip: (R, M, N) -> (R, N), 0 to M.

    Its mean is M less the sum over m of the share that has flipped by m: the area above that curve, the restricted mean
    of survival analysis.
    """
    found: NDArray[np.int64] = (~flipped_by(chains)).sum(axis=1)
    return found


def median_edits(shares: Sequence[float]) -> int | None:
    """The fewest edits by which half of the labels have flipped, the median of edits to the first flip.

    shares: flipped by 1, 2, ... edits.  None where the longest chain leaves more than half as they were.
    """
    return next((edits for edits, share in enumerate(shares, start=1) if share >= 0.5), None)


def turned(gold: Codes, unedited: Codes, edited: Codes) -> tuple[Flags, Flags, Flags]:
    """From right to wrong, from wrong to right, and from one wrong label to another: gold (N,), others (R, N)."""
    was, stays = unedited == gold, edited == gold
    return was & ~stays, ~was & stays, ~was & ~stays & (edited != unedited)


def share_of_few(found: Interval, rows: int, runs: int, confidence: float) -> Interval:
    """Wilson's interval of a share p whose variance v over rows and runs is known, with as many rows as it is worth.

    These are n = p (1 - p) / v, at most rows x runs; where v is 0 they are the rows.  Instead of the normal quantile
    stands Student's, with the degrees of freedom of v.  Shares of flips are often of a few per cent, where
    p +- t sqrt(v) is too short above and runs below 0.  Recommended by Franco, Little, Louis & Slud, "Comparative Study
    of Confidence Intervals for Proportions in Complex Sample Surveys" (2019).
    """
    from scipy.special import stdtrit

    p = found.estimate
    worth = float(rows)
    quantile = float(stdtrit(found.degrees, (1 + confidence) / 2))
    if found.error > ROUNDING and 0 < p < 1:
        worth = min(max(p * (1 - p) / found.error**2, 1.0), float(rows * runs))
    else:
        quantile = float(stdtrit(math.inf, (1 + confidence) / 2))
    bounds = wilson_at(p * worth, worth, quantile)
    return found._replace(low=bounds.low, high=bounds.high)
