"""How much a student's predictions change when nothing but the seed does: Krippendorff's alpha and p_uc."""

from __future__ import annotations

import numpy as np

from labelrisk.statistics.scores import NO_LABEL, Codes


def krippendorff_alpha(runs: Codes, classes: int) -> float:
    """Krippendorff's alpha for nominal data, with the runs as raters of the test items.

    `runs` has shape (R, N) with codes 0..K-1, or -1 where a run gives no label. alpha = 1 - D_o / D_e from the
    coincidence counts o_ck = sum over items of n_uc (n_uk - [c = k]) / (n_u - 1); items with fewer than two labels
    can't be paired and are left out. 1 is full agreement, 0 what chance gives. Undefined (nan) with one run, without
    items, and when all runs give one and the same class to every item: there is no variation to agree on.
    Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.
    """
    counts = np.stack([(runs == code).sum(axis=0) for code in range(classes)], axis=1).astype(np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    per_item = counts.sum(axis=1)
    per_class = counts.sum(axis=0)
    total = per_class.sum()
    # Off-diagonal sums as "all pairs minus pairs of equals": no K x K table is needed for nominal data.
    disagreeing = ((per_item**2 - (counts**2).sum(axis=1)) / (per_item - 1)).sum()
    expected = (total**2 - (per_class**2).sum()) / (total - 1) if total else 0.0
    return float(1 - disagreeing / expected) if expected else float("nan")


def unchanged(runs: Codes) -> float:
    """p_uc: share of items whose prediction is the same in all runs; `runs` has shape (R, N).

    An item with a missing label in any run counts as changed. Undefined (nan) with one run, where it would be 1 by
    construction. It falls as runs are added: compare at one number of runs. Lu & Smith (2025), section 4.
    """
    if len(runs) < 2 or runs.shape[1] == 0:
        return float("nan")
    return float(np.mean((runs == runs[0]).all(axis=0) & (runs[0] != NO_LABEL)))
