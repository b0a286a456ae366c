"""How far human coders agree among themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from labelrisk.statistics.agreement import kappa, krippendorff_alpha
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, rounded


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
