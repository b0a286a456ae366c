"""How far human coders agree among themselves, and what most of them say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from labelrisk.statistics.agreement import krippendorff_alpha
from labelrisk.statistics.scores import NO_LABEL, Codes, rounded

TIE = -2  # as many coders for one label as for another


def majority(codes: Codes, classes: int) -> NDArray[np.int64]:
    """The label that most coders gave each row: codes (R, N), -1 for no label -> (N,).

    -1 where no coder gave a label, TIE (-2) where two labels have the most: a tie is no majority, and no chance or
    order breaks it.  One coder's label is a majority of one.
    """
    votes = np.stack([(codes == code).sum(axis=0) for code in range(classes)])
    most = votes.max(axis=0)
    tied = (votes == most).sum(axis=0) > 1
    return np.where(most == 0, NO_LABEL, np.where(tied, TIE, votes.argmax(axis=0))).astype(np.int64)


def kappa(one: Codes, other: Codes) -> float:
    """Cohen's kappa of two lists of codes, (N,) each; -1 counts as one more category, so silence is disagreement.

    nan without rows, and where both give one and the same code to all rows: agreement by chance is then certain.
    """
    if len(np.unique(np.concatenate([one, other]))) < 2:
        return float("nan")
    return float(cohen_kappa_score(one, other))


def agreement_of_coders(codes: Codes, names: Sequence[str], classes: int) -> dict[str, Any]:
    """Agreement of coders, codes (R, N) with -1 for no label; None for what can't be computed.

    pairs: for two coders, over the rows that both labelled: rows, agreement (share of equal labels), Cohen's kappa.
    rows: how many have two labels or more; only they count here.  all_agree: share of them whose labels are all
    equal.  agreement: share of equal pairs among all pairs of labels of one row.  alpha: Krippendorff's, nominal.
    """
    several = codes[:, (codes != NO_LABEL).sum(axis=0) >= 2]
    low = np.where(several == NO_LABEL, classes, several).min(axis=0, initial=classes)
    pairs, equal, compared = [], 0, 0
    for first, second in combinations(range(len(names)), 2):
        both = (codes[first] != NO_LABEL) & (codes[second] != NO_LABEL)
        one, other = codes[first][both], codes[second][both]
        equal, compared = equal + int((one == other).sum()), compared + int(both.sum())
        pairs.append(
            {"coders": [names[first], names[second]], "rows": int(both.sum())}
            | {"agreement": rounded(np.mean(one == other)) if both.any() else None, "kappa": rounded(kappa(one, other))}
        )
    all_agree = ((several == low) | (several == NO_LABEL)).all(axis=0)
    return {
        "rows": several.shape[1],
        "all_agree": rounded(np.mean(all_agree)) if several.shape[1] else None,
        "agreement": rounded(equal / compared) if compared else None,
        "alpha": rounded(krippendorff_alpha(codes, classes)),
        "pairs": pairs,
    }
