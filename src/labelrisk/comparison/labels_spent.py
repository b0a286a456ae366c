"""What a label source takes: labelled rows, gold labels, money."""

from __future__ import annotations

import numpy as np

from labelrisk.comparison.study import Study
from labelrisk.statistics.class_codes import NO_LABEL


def rows_and_gold(study: Study, source: str) -> tuple[int, int]:
    """The labelled train rows, and for how many of them gold was spent."""
    settings, rows = study.settings, study.training_rows[source]
    is_gold = settings.is_gold(settings.sources[source].annotator)
    # Noise drawn onto gold labels spends them too: they must be known before they can be spoilt.
    origins_of_gold = ["gold", "noise", *(["annotator"] if is_gold else [])]
    is_labelled = rows.codes != NO_LABEL
    is_spent = is_labelled & np.isin(rows.origins, origins_of_gold)
    return int(is_labelled.sum()), int(is_spent.sum())


def money_spent(study: Study, source: str) -> float | None:
    """What the annotator's labels of the train rows cost when they were asked for; None where unknown, as for gold."""
    settings, rows = study.settings, study.training_rows[source]
    annotator = settings.sources[source].annotator
    if settings.is_gold(annotator):
        return None
    cost = study.costs[annotator]
    return None if cost is None else cost / 1000 * len(rows.codes)
