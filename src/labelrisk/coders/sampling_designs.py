"""Sampling designs without replacement whose first-order inclusion probabilities are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Floats

FLOOR = 0.1  # of the largest possible entropy: the surest row is drawn at 1/11 of the rate of the least sure one
CERTAIN = 1 - 1e-9  # rounding aside, a probability that would be 1 or more


def equal_allocation(capacities: Sequence[int], rows: int) -> list[int]:
    """Share `rows` out over strata of the given sizes, as equally as they allow; their order breaks ties.

    Strata that are too small give all they have, and the others share the rest.  What can't be shared equally goes,
    one each, to the first strata that still have room: no chance is involved, so that the sizes, and with them the
    inclusion probabilities n_h / N_h, are fixed.  `rows` must not exceed the sum of `capacities`.
    """
    sizes = [0] * len(capacities)
    left = rows
    while left:
        roomy = [stratum for stratum, capacity in enumerate(capacities) if sizes[stratum] < capacity]
        each, extra = divmod(left, len(roomy))
        for place, stratum in enumerate(roomy):
            given = min(each + (place < extra), capacities[stratum] - sizes[stratum])
            sizes[stratum] += given
            left -= given
    return sizes


def uncertainty_sizes(entropies: Floats, classes: int) -> Floats:
    """Size measures of rows, shape (N,): entropy in nats plus a floor, so that every row may be drawn.

    `entropies` has shape (N,), nan where the annotator gave no probabilities: refusals, answers off the list, errors.
    These count as most uncertain (entropy log K).  Nothing says that the annotator knows such a row, the rows are not
    random, and as they count as wrong they are where a coder's label is worth most.
    """
    largest = float(np.log(classes))
    return np.asarray(np.where(np.isnan(entropies), largest, entropies) + FLOOR * largest, dtype=np.float64)


def inclusion_probabilities(sizes: Floats, rows: int) -> Floats:
    """Inclusion probabilities proportional to positive `sizes`, shape (N,), that sum to `rows`; none above 1.

    pi_i = n z_i / sum z.  Where that is 1 or more the row is certain; the others share what is left in proportion,
    again, until none is above 1.  Tille, "Sampling Algorithms" (2006), section 2.10.
    """
    probabilities = np.ones(len(sizes))
    open_rows = np.ones(len(sizes), dtype=bool)
    while open_rows.any():
        left = rows - int((~open_rows).sum())
        shares = left * sizes[open_rows] / sizes[open_rows].sum()
        if (shares < CERTAIN).all():
            probabilities[open_rows] = shares
            break
        open_rows[np.flatnonzero(open_rows)[shares >= CERTAIN]] = False
    return probabilities


def systematic_draw(probabilities: Floats, generator: np.random.Generator) -> NDArray[np.intp]:
    """Draw rows with exactly the given inclusion probabilities, shape (N,) with a whole sum n -> (n,) row numbers.

    Systematic sampling over a random order: the probabilities are laid end to end, and the rows in which u, u + 1,
    u + 2, ... fall are drawn, for one uniform u.  A row is hit with the probability that is its length, whatever
    the order; the random order gives nearly all pairs of rows a chance too.  Madow (1949); Tille (2006), section 7.2.
    """
    rows = round(float(probabilities.sum()))
    order = generator.permutation(len(probabilities))
    ends = np.cumsum(probabilities[order])
    ends *= rows / ends[-1]
    ends[-1] = rows  # rounding must not cost the last row
    hits = np.diff(np.maximum(np.ceil(ends - generator.random()), 0), prepend=0)
    return order[hits > 0]


def draw(
    design: str, rows: int, strata: Sequence[Any], entropies: Floats, classes: int, generator: np.random.Generator
) -> tuple[NDArray[np.intp], Floats]:
    """Draw `rows` of N rows without replacement: row numbers (n,) in random order, inclusion probabilities (N,).

    design: `random` (simple random: pi = n/N), `stratified` (by `strata`, N of them: pi = n_h/N_h), or `uncertainty`
    (proportional to uncertainty_sizes of `entropies`, shape (N,) in nats).  A stratified draw needs a row for each
    stratum, or some rows could never be drawn.
    """
    total = len(strata)
    if design == "uncertainty":
        probabilities = inclusion_probabilities(uncertainty_sizes(entropies, classes), rows)
        drawn = systematic_draw(probabilities, generator)
    elif design == "stratified":
        members: dict[Any, list[int]] = {}
        for row, stratum in enumerate(strata):
            members.setdefault(stratum, []).append(row)
        groups = sorted(members.values(), key=len, reverse=True)  # the odd rows go to the largest strata
        probabilities, parts = np.empty(total), []
        for group, size in zip(groups, equal_allocation([len(group) for group in groups], rows), strict=True):
            probabilities[group] = size / len(group)
            parts.append(generator.choice(group, size, replace=False))
        drawn = np.concatenate(parts)
    else:
        probabilities = np.full(total, rows / total)
        drawn = generator.choice(total, rows, replace=False)
    # In random order: the place in the file tells no coder the stratum, and what is coded first is no special part.
    return generator.permutation(drawn), probabilities
