"""How the votes of several runs spread on each row, and how much more they do where something is the case."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.ranks import Relation
from labelrisk.statistics.scores import Codes, Counts, Floats

ROUNDED = 9  # decimals, so that the order of the classes parts no rows whose votes are split alike


def vote_entropies(runs: Codes, classes: int) -> tuple[Floats, list[Floats]]:
    """The entropy of the votes of each row, in nats, 0 where all agree: runs (R, N), R >= 2, -> (N,); and the same
    without each run in turn.

    Of few runs it is too small on average, by some (classes voted for - 1) / 2R (Miller 1955): it ranks rows at one
    number of runs and says nothing of others.
    """
    shares = np.arange(1, len(runs) + 1) / len(runs)
    fewer = np.arange(1, len(runs)) / (len(runs) - 1)
    return _spreads(runs, classes, [0.0, *(-shares * np.log(shares))], [0.0, *(-fewer * np.log(fewer))])


def pair_disagreements(runs: Codes, classes: int) -> tuple[Floats, list[Floats]]:
    """The share of pairs of runs that disagree on each row: runs (R, N), R >= 2, -> (N,); and the same without each run
    in turn, of which two are left at least (else none).

    On average it is what two new runs disagree by, whatever R is.
    """
    of, fewer = len(runs), len(runs) - 1
    whole = [votes * (of - votes) / (of * (of - 1)) for votes in range(of + 1)]
    without = [votes * (fewer - votes) / (fewer * (fewer - 1)) for votes in range(fewer + 1)] if fewer > 1 else []
    return _spreads(runs, classes, whole, without)


def _spreads(runs: Codes, classes: int, of_votes: list[float], of_fewer: list[float]) -> tuple[Floats, list[Floats]]:
    """Sums over classes of a function of how many runs vote for it, given by its values at 0, 1, ... votes."""
    counts: Counts = np.stack([(runs == code).sum(axis=0) for code in range(classes)])
    whole, rows, without = _summed(counts, of_votes), np.arange(runs.shape[1]), []
    for run in runs if of_fewer else runs[:0]:
        counts[run, rows] -= 1
        without.append(_summed(counts, of_fewer))
        counts[run, rows] += 1
    return whole, without


def _summed(counts: Counts, values: list[float]) -> Floats:
    found: Floats = np.round(np.array(values)[counts].sum(axis=0), ROUNDED) + 0.0  # + 0.0 turns -0.0 into 0.0
    return found


def event_gap(values: Floats, events: NDArray[np.bool_]) -> Relation:
    """The mean of the rows with an event minus that of the others: (N,), (N,); there are both."""
    with_it, without = float(values[events].mean()), float(values[~events].mean())
    weights = len(values) * np.where(events, 1 / events.sum(), -1 / (~events).sum())
    return Relation(with_it - without, weights * (values - np.where(events, with_it, without)))
