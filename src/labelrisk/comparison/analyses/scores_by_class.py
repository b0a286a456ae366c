"""plots/classes.csv: precision, recall and F1 of each class, by source and by annotator used directly."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.study import Study
from labelrisk.statistics.scores import Counts, class_scores


def scores_by_class(study: Study) -> Outputs:
    """A row per class: kind (student, annotator), name, class, precision, recall, f1, support; means over seeds."""
    groups: dict[str, Mapping[str, Counts]] = {
        "student": {source: students.counts for source, students in study.students.items()},
        "annotator": {name: given.counts[None] for name, given in study.annotators_used_directly.items()},
    }
    frames = []
    for kind, group in groups.items():
        for name, counts in group.items():
            means = {metric: values.mean(axis=0) for metric, values in class_scores(counts)._asdict().items()}
            frames.append(pd.DataFrame({"kind": kind, "name": name, "class": study.classes} | means))
    return {"plots/classes.csv": pd.concat(frames, ignore_index=True).astype({"support": int})}
