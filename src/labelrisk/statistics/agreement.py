"""How far several labellings of the same items agree: Krippendorff's alpha, Cohen's kappa, p_uc and the majority."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, Floats

TIE = -2  # two classes or more have the most labels


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


def alpha_influences(runs: Codes, classes: int) -> Floats:
    """(N - 1) (alpha - alpha without the row), centred: runs (R, N) without missing labels -> (N,).

    In closed form from the counts of a row's labels.  0 where rows that are left are all of one class.
    Efron & Stein, "The Jackknife Estimate of Variance" (1981).
    """
    counts = np.stack([(runs == code).sum(axis=0) for code in range(classes)], axis=1).astype(np.float64)
    number, rows = runs.shape
    disagreeing = (number**2 - (counts**2).sum(axis=1)) / (number - 1)
    left, total = counts.sum(axis=0) - counts, number * (rows - 1)
    expected = (total**2 - (left**2).sum(axis=1)) / (total - 1)
    whole = krippendorff_alpha(runs, classes)
    ratio = np.full(rows, 1 - whole)
    np.divide(disagreeing.sum() - disagreeing, expected, out=ratio, where=expected > 0)
    values = (rows - 1) * (whole - 1 + ratio)
    centred: Floats = values - values.mean()
    return centred


def unchanged(runs: Codes) -> float:
    """p_uc: share of items whose prediction is the same in all runs; `runs` has shape (R, N).

    An item with a missing label in any run counts as changed. Undefined (nan) with one run, where it would be 1 by
    construction. It falls as runs are added: compare at one number of runs. Lu & Smith (2025), section 4.
    """
    if len(runs) < 2 or runs.shape[1] == 0:
        return float("nan")
    return float(np.mean((runs == runs[0]).all(axis=0) & (runs[0] != NO_LABEL)))


def kappa(one: Codes, other: Codes) -> float:
    """Cohen's kappa of two lists of codes, (N,) each; -1 counts as one more category, so silence is disagreement.

    nan without rows, and where both give one and the same code to all rows: agreement by chance is then certain.
    """
    if len(np.unique(np.concatenate([one, other]))) < 2:
        return float("nan")
    from sklearn.metrics import cohen_kappa_score  # a second to load, which evaluate need not wait

    return float(cohen_kappa_score(one, other))


def majority(codes: Codes, classes: int) -> NDArray[np.int64]:
    """The class that most raters gave each row: codes (R, N), -1 for no label -> (N,).

    -1 where no rater gave a label, TIE (-2) where two classes have the most: a tie is no majority, and no chance or
    order breaks it.  One rater's label is a majority of one.
    """
    counts = np.stack([(codes == code).sum(axis=0) for code in range(classes)])
    most = counts.max(axis=0)
    is_tied = (counts == most).sum(axis=0) > 1
    return np.where(most == 0, NO_LABEL, np.where(is_tied, TIE, counts.argmax(axis=0))).astype(np.int64)
