"""What a label source takes: labelled rows, gold labels, labels of people, money."""

from __future__ import annotations

import numpy as np
import pandas as pd

from labelrisk.comparison.study import Study
from labelrisk.comparison.train_rows import Places
from labelrisk.sources.controls import resolved
from labelrisk.statistics.class_codes import NO_LABEL


def rows_and_gold(study: Study, source: str) -> tuple[int, int]:
    """The labelled train rows, and for how many of them gold was spent."""
    settings, rows = study.settings, study.training_rows[source]
    is_gold = settings.is_gold(settings.sources[source].annotator)
    # Noise drawn onto gold labels spends them too: they must be known before they can be spoilt.
    origins_of_gold = ["gold", "noise", *(["annotator"] if is_gold else [])]
    is_labelled = rows.codes != NO_LABEL
    is_spent = is_labelled & rows.origins.among(origins_of_gold)
    return int(is_labelled.sum()), int(is_spent.sum())


def human_labels(study: Study, source: str) -> int:
    """Labels of people that the source takes: gold, and those of annotators that are people."""
    rows = study.training_rows[source]
    people = [name for name in study.settings.labellers if study.settings.is_human(name)]
    by_people = (rows.codes != NO_LABEL) & rows.labellers.among(people)
    return rows_and_gold(study, source)[1] + int((by_people & ~rows.origins.among(["gold", "noise"])).sum())


def money_spent(study: Study, source: str) -> float | None:
    """What the labels of its train rows cost when they were asked for; None where unknown, as for gold.

    The annotator labels every row that the source does not leave out; who gives a second label is paid for the rows
    that it was asked about here.
    """
    settings, rows, declared = study.settings, study.training_rows[source], resolved(study.settings.sources, source)
    if settings.is_gold(declared.annotator):
        return None
    costs = [_cost(study, declared.annotator, rows.places[~rows.origins.among(["left_out"])])]
    if declared.relabel_by is not None:
        no_label_came = rows.origins.among(["annotator"]) & rows.reasons.given
        was_asked = rows.origins.among(["relabelled"]) | no_label_came
        costs.append(_cost(study, declared.relabel_by, rows.places[was_asked]))
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def _cost(study: Study, annotator: str, places: Places) -> float | None:
    """Of the annotator's labels of these train rows; None where that of any is unknown."""
    by_row = study.costs_on_train[annotator]
    if by_row is None or (places < 0).any():
        return None
    total = float(pd.Series(by_row[places]).sum(skipna=False))
    return None if np.isnan(total) else total
