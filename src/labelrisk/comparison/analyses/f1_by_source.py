"""plots/f1_by_source: macro-F1 of every student, as a table and as a picture beside what does without one."""

from __future__ import annotations

from functools import partial

import pandas as pd

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.pictures.f1_by_source import draw_f1_by_source
from labelrisk.comparison.study import Study
from labelrisk.statistics.scores import accuracy, confusion, macro_f1
from labelrisk.statistics.votes import soft_vote


def f1_by_source(study: Study) -> Outputs:
    """A row per source and seed: source, seed, macro_f1, accuracy; the picture also has the soft votes of all seeds."""
    settings = study.settings
    frames = [
        pd.DataFrame(
            {"source": source, "seed": settings.seeds}
            | {"macro_f1": macro_f1(students.counts), "accuracy": accuracy(students.counts)}
        )
        for source, students in study.students.items()
    ]
    table = pd.concat(frames, ignore_index=True)
    draw = partial(
        draw_f1_by_source,
        scores=table,
        reference=settings.evaluate.reference,
        votes=_votes(study) if len(settings.seeds) > 1 else {},
        without_student={
            f"{name} ({what})": float(macro_f1(given.counts))
            for what, group in (("annotator", study.annotators_used_directly), ("on gold", study.trained_baselines))
            for name, given in group.items()
        },
    )
    return {"plots/f1_by_source.csv": table, "plots/f1_by_source.png": draw}


def _votes(study: Study) -> dict[str, float]:
    """Macro-F1 of the soft vote of all seeds, by source."""
    gold, classes = study.test.gold, len(study.classes)
    return {
        source: float(macro_f1(confusion(gold, soft_vote(students.probabilities), classes)))
        for source, students in study.students.items()
    }
