"""plots/classes.csv: scores of each class, by source and by annotator used directly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.class_losses import class_losses
from labelrisk.comparison.study import Study
from labelrisk.statistics.scores import Counts, class_scores


def scores_by_class(study: Study) -> Outputs:
    """A row per class, means over seeds: kind (student, annotator), name, class, precision, recall, f1, support.

    Also share of the test rows that get the class (predicted_share) and that have it (true_share); and for students the
    bounds of recall and F1 (nan for annotators, and for a class without gold in test).
    """
    groups: dict[str, Mapping[str, Counts]] = {
        "student": {source: students.counts for source, students in study.students.items()},
        "annotator": {name: given.counts[None] for name, given in study.annotators_used_directly.items()},
    }
    frames = []
    for kind, group in groups.items():
        for name, counts in group.items():
            means = {metric: values.mean(axis=0) for metric, values in class_scores(counts)._asdict().items()}
            shares = {
                "predicted_share": counts[..., :-1].sum(axis=-2).mean(axis=0) / counts[0].sum(),
                "true_share": counts[0].sum(axis=-1) / counts[0].sum(),
            }
            bounds = _bounds(study, name) if kind == "student" else {}
            frames.append(pd.DataFrame({"kind": kind, "name": name, "class": study.classes} | means | shares | bounds))
    return {"plots/classes.csv": pd.concat(frames, ignore_index=True).astype({"support": int})}


def _bounds(study: Study, source: str) -> dict[str, list[float]]:
    """Columns recall_low, recall_high, f1_low, f1_high."""
    losses = class_losses(study)[source]
    return {
        f"{metric}_{bound}": [
            float(getattr(getattr(losses[name], metric), bound)) if name in losses else np.nan for name in study.classes
        ]
        for metric in ("recall", "f1")
        for bound in ("low", "high")
    }
