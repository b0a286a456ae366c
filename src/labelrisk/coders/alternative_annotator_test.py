"""The alternative annotator test: does an annotator stand for the coders as well as one of them does?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, ttest_1samp, wilcoxon

from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes, Floats, rounded

FEWEST_CODERS = 3
FEWEST_ROWS = 30  # for the t-test
FALSE_DISCOVERIES = 0.05
PASSES = 0.5  # winning rate


def alignments(annotator: Codes, coder: Codes, others: Codes) -> tuple[Floats, Floats]:
    """Per row the shares of the other coders' labels that equal the annotator's, and the coder's: (n,) each.

    annotator and coder have shape (N,), others (R - 1, N), -1 for no label.  Only rows that the coder and one other
    at least labelled count; the annotator's rows without a label stay, and are aligned with nobody.
    """
    rows = (coder != NO_LABEL) & (others != NO_LABEL).any(axis=0)
    labels = others[:, rows]
    given = (labels != NO_LABEL).sum(axis=0)
    annotator_equal = ((labels == annotator[rows]) & (labels != NO_LABEL)).sum(axis=0)
    return annotator_equal / given, (labels == coder[rows]).sum(axis=0) / given


def p_value(differences: Floats, epsilon: float) -> tuple[float, str]:
    """p of H0: mean difference (W_h - W_f) >= epsilon against less, and the test's name; differences has shape (n,).

    A one-sided t-test of the paired differences, or Wilcoxon's signed-rank test for fewer than 30 rows.  Without
    variance the t-test has no p: it is then 0 or 1, by the side on which the difference lies.
    """
    shifted = differences - epsilon
    if len(shifted) >= FEWEST_ROWS:
        if np.ptp(shifted) == 0:
            return float(shifted[0] >= 0), "t"
        return float(ttest_1samp(shifted, 0, alternative="less").pvalue), "t"
    return (float(wilcoxon(shifted, alternative="less").pvalue) if shifted.any() else 1.0), "wilcoxon"


def alternative_annotator_test(annotator: Codes, coders: Codes, names: Sequence[str], epsilon: float) -> dict[str, Any]:
    """Test whether the annotator may replace coders: annotator (N,), coders (R, N), -1 for no label.

    For each coder j, left out: S = share of the other coders' labels on a row that are equal (accuracy alignment);
    W_f = [S(annotator) >= S(j)], W_h = [S(j) >= S(annotator)]; rho_f, rho_h their means over rows.  H0: rho_f <=
    rho_h - epsilon is rejected at a false discovery rate of 5 % over coders (Benjamini-Yekutieli).  winning_rate
    omega = share of coders for whom it is; 0.5 or more passes.  advantage_probability rho = mean of rho_f.  epsilon
    is what the annotator's lower cost is worth: 0.2 against experts, 0.15 against skilled coders, 0.1 against a
    crowd.  All about the drawn rows, unweighted.  `reason` instead of numbers with fewer than three coders.
    Calderon, Reichart & Dror, "The Alternative Annotator Test for LLM-as-a-Judge" (2025), sections 3 and 4.
    """
    tested: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(names):
        by_annotator, by_coder = alignments(annotator, coders[place], np.delete(coders, place, axis=0))
        if not len(by_annotator):
            continue
        wins, losses = by_annotator >= by_coder, by_coder >= by_annotator
        p, test = p_value(losses.astype(np.float64) - wins, epsilon)
        tested[name] = {"rows": len(wins), "test": test, "p": p, "annotator": wins.mean(), "coder": losses.mean()}
    if len(tested) < FEWEST_CODERS:
        return {
            "epsilon": epsilon,
            "reason": f"the alternative annotator test needs {FEWEST_CODERS} coders or more who labelled the same "
            f"rows, and there are {len(tested)}; let more people code these rows",
        }
    adjusted = false_discovery_control([of["p"] for of in tested.values()], method="by")
    rejected = adjusted <= FALSE_DISCOVERIES
    winning = float(np.mean(rejected))
    return {
        "epsilon": epsilon,
        "winning_rate": rounded(winning),
        "passes": winning >= PASSES,
        "advantage_probability": rounded(np.mean([of["annotator"] for of in tested.values()])),
        "fewest_rows": min(of["rows"] for of in tested.values()),
        "coders": {
            name: {"rows": of["rows"], "test": of["test"], "annotator": rounded(of["annotator"])}
            | {"coder": rounded(of["coder"]), "p": rounded(of["p"]), "p_adjusted": rounded(adjusted[place])}
            | {"rejected": bool(rejected[place])}
            for place, (name, of) in enumerate(tested.items())
        },
    }
