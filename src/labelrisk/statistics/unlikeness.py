"""How far texts are from those that a classifier learned from, and whether more of them are far than chance allows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats
from labelrisk.statistics.shares import Share, wilson

ROUNDING = 1e-9  # of a product that would be a whole number


class Unlike(NamedTuple):
    """Of `rows` texts, the share that is farther off than nearly all known ones.

    by_chance: the largest share that rows like the known ones have, but for a chance of 1 - confidence; p: the chance
    that they have this share or more.
    """

    rows: int
    share: Share
    by_chance: float
    p: float


def distances(vectors: NDArray[np.float32], reference: NDArray[np.float32], neighbours: int) -> NDArray[np.float32]:
    """1 - cosine to the so-many-th nearest reference: vectors (M, D) and reference (N, D) of length 1 -> (M,).

    Sun, Ming, Zhu & Li, "Out-of-Distribution Detection with Deep Nearest Neighbors" (2022, arXiv 2204.06507).
    """
    place = len(reference) - min(neighbours, len(reference))
    cosines = np.partition(vectors @ reference.T, place, axis=1)[:, place]
    found: NDArray[np.float32] = (1 - cosines).astype(np.float32)
    return found


def exceedances(known: int, level: float) -> int:
    """How many of the known distances may be as large as a new one that counts as unlike, plus one; 0: too few known.

    A new row is the r-th largest of all n + 1 or beyond with a chance of r / (n + 1) <= level, if it is like the known.
    """
    return int(level * (known + 1) + ROUNDING)


def farthest_alike(known: Floats, level: float) -> float:
    """The distance beyond which a text is unlike, from known ones (n,): of alike ones at most a share `level` is.

    It is the r-th largest, r as in `exceedances`; inf where too few are known.
    """
    place = exceedances(len(known), level)
    return float(np.sort(known)[len(known) - place]) if place else float("inf")


def unlike(hits: int, rows: int, known: int, level: float, confidence: float) -> Unlike:
    """Judge that `hits` of `rows` texts are beyond farthest_alike of so many known ones.

    Where new and known rows are exchangeable, the chance to be beyond the r-th largest of n is Beta(r, n + 1 - r), and
    hits are beta-binomial: the luck of the known rows counts, however many new ones there are.
    """
    from scipy.stats import betabinom

    place = exceedances(known, level)
    if not place:
        return Unlike(rows, wilson(hits, rows, confidence), 1.0, 1.0)
    by_chance = betabinom(rows, place, known + 1 - place)
    most = int(by_chance.ppf(confidence))
    return Unlike(rows, wilson(hits, rows, confidence), most / rows, float(by_chance.sf(hits - 1)))
