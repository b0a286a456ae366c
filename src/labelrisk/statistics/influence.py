"""How much each test row moves a metric of confusion counts: delete-one values, without deleting row by row."""

from __future__ import annotations

import numpy as np

from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.metrics import Metric
from labelrisk.statistics.scores import Codes, Counts, Floats

CELLS = 256  # evaluated at a time: bounds memory at CELLS tables of counts


def influence_by_cell(counts: Counts, metric: Metric) -> Floats:
    """(N - 1) (m - m without one row of the cell), counts (K, K + 1) -> (K, K + 1); 0 where a cell has no row.

    A metric of confusion counts can't tell rows of one cell apart, so that as many tables as there are cells give the
    jackknife over rows.  Delete-one values hold the curvature of the metric, which matters where a class has few rows.
    Efron & Stein, "The Jackknife Estimate of Variance" (1981).
    """
    values = np.zeros(counts.shape)
    occupied = np.argwhere(counts > 0)
    whole, rows = metric(counts), int(counts.sum())
    for start in range(0, len(occupied), CELLS):
        cells = occupied[start : start + CELLS]
        without = np.repeat(counts[None], len(cells), axis=0)
        without[np.arange(len(cells)), cells[:, 0], cells[:, 1]] -= 1
        values[cells[:, 0], cells[:, 1]] = (rows - 1) * (whole - metric(without))
    return values


def row_influences(gold: Codes, runs: Codes, counts: Counts, metric: Metric) -> Floats:
    """Delete-one values of each row in each run, centred: gold (N,), runs (R, N), counts (R, K, K + 1) -> (R, N)."""
    values = np.empty(runs.shape)
    for run, (predicted, table) in enumerate(zip(runs, counts, strict=True)):
        column = np.where(predicted == NO_LABEL, table.shape[1] - 1, predicted)
        values[run] = influence_by_cell(table, metric)[gold, column]
    centred: Floats = values - values.mean(axis=1, keepdims=True)
    return centred
