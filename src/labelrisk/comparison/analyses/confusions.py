"""plots/confusion: gold against predicted, item by item as `dvc plots` counts them, and as a picture of counts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.pictures.confusions import draw_confusions
from labelrisk.comparison.study import Students, Study
from labelrisk.statistics.scores import Codes, macro_f1

MISSING = "(no label)"


def confusions(study: Study) -> Outputs:
    """A row per test item and annotator, or source: the name, gold, predicted; the picture counts all seeds."""
    annotators = study.annotators_used_directly
    panels = {f"{name}\nannotator on test": given.counts for name, given in annotators.items()}
    panels |= {
        f"{source}\nstudents, all seeds": students.counts.sum(axis=0) for source, students in study.students.items()
    }
    return {
        "plots/confusion_annotator.csv": _items(
            study, "annotator", {name: given.codes for name, given in annotators.items()}
        ),
        "plots/confusion_student.csv": _items(
            study, "source", {source: _median_run(students) for source, students in study.students.items()}
        ),
        "plots/confusion.png": partial(draw_confusions, panels=panels, classes=study.classes),
    }


def _median_run(students: Students) -> Codes:
    """The predictions of the seed with the median macro-F1: one row per item and seed would swell the plots file."""
    order = np.argsort(macro_f1(students.counts), kind="stable")
    median: Codes = students.predictions[order[(len(order) - 1) // 2]]
    return median


def _items(study: Study, column: str, predicted: Mapping[str, Codes]) -> pd.DataFrame:
    """One row per test item, as the confusion template of `dvc plots` wants it."""
    names = np.array([*study.classes, MISSING], dtype=object)  # code -1 is the last
    frames = [
        pd.DataFrame({column: name, "gold": names[study.test.gold], "predicted": names[codes]})
        for name, codes in predicted.items()
    ]
    return pd.concat([pd.DataFrame(columns=[column, "gold", "predicted"]), *frames], ignore_index=True)
