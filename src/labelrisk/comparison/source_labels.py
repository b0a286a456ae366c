"""How good the labels of a source are, where gold is known: they are never chosen by this."""

from __future__ import annotations

import numpy as np

from labelrisk.comparison.study import Study
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.scores import Codes


def label_accuracy(study: Study, source: str) -> float | None:
    """Share of the labelled train rows with gold whose label is right; None where there is no such row."""
    gold, labels = _beside_gold(study, source)
    known = labels != NO_LABEL
    return float((labels[known] == gold[known]).mean()) if known.any() else None


def class_shift(study: Study, source: str) -> float | None:
    """Share of labels that would have to be of another class for the shares of classes to be those of gold.

    Half the sum of |share among the source's labels - share in gold| over classes (total variation distance), with
    gold of all train rows that have it; None without labels or gold.
    """
    gold, labels = _beside_gold(study, source)
    known = labels != NO_LABEL
    if not known.any():
        return None
    shares = [np.bincount(codes, minlength=len(study.classes)) / len(codes) for codes in (labels[known], gold)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _beside_gold(study: Study, source: str) -> tuple[Codes, Codes]:
    """Gold of the train rows that have it, and the source's labels of them, -1 for none."""
    return study.train.gold, study.training_rows[source].of_all(len(study.train.ids))[study.train.places]
