"""A linear classifier on fixed features: multinomial logistic regression, its penalty chosen on validation rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelrisk.statistics.scores import Codes, confusion, macro_f1

PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)  # scikit-learn's C: larger is a weaker penalty
ITERATIONS = 2000


def predicted(features: list[Any], train: Codes, validation: Codes, classes: int) -> NDArray[np.int64]:
    """Class codes of the last of three sets of features: (N, D) of train, of validation, and to predict.

    train, validation: gold codes.  The penalty is the one with the highest macro-F1 on validation, of equals the
    strongest; no row to predict is looked at before.
    """
    from sklearn.linear_model import LogisticRegression

    best: tuple[float, Any] | None = None
    for penalty in PENALTIES:
        model = LogisticRegression(C=penalty, max_iter=ITERATIONS).fit(features[0], train)
        score = float(macro_f1(confusion(validation, model.predict(features[1]), classes)))
        if best is None or score > best[0]:
            best = score, model
    assert best is not None
    found: NDArray[np.int64] = best[1].predict(features[2]).astype(np.int64)
    return found
