"""How long each source's students trained, whether that was enough, and which of them failed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from labelrisk.comparison.study import Study
from labelrisk.comparison.training_curves import LOSS, VALIDATION
from labelrisk.statistics.class_codes import NO_LABEL
from labelrisk.statistics.convergence import Convergence, Curve, convergence, failed_runs, label_entropy
from labelrisk.statistics.scores import macro_f1


@lru_cache(maxsize=1)
def training_lengths(study: Study) -> dict[str, Convergence]:
    """By source: for how many steps its students trained, and whether they have converged."""
    curves, entropies = {}, {}
    for source, rows in study.training_rows.items():
        of_source = study.curves[study.curves["source"] == source]
        curves[source] = [curve_of(run) for _, run in of_source.groupby("seed", sort=False)]
        entropy = label_entropy(np.bincount(rows.codes[rows.codes != NO_LABEL]))
        entropies[source] = [entropy] * len(curves[source])
    return convergence(curves, entropies, study.settings.evaluate.flat)


def judged_lengths(study: Study) -> dict[str, Convergence]:
    """The same; a reference all of whose students failed has learned nothing, and nothing is held against it."""
    lengths, reference = training_lengths(study), study.settings.evaluate.reference
    if len(failed_seeds(study)[reference]) < len(study.settings.seeds):
        return lengths
    return lengths | {reference: lengths[reference]._replace(fit=0.0, converged=False)}


def curve_of(run: pd.DataFrame) -> Curve:
    """What a run logged, of its frame in the form of read_training_curves."""
    scored, logged = run.dropna(subset=VALIDATION), run.dropna(subset=LOSS)
    return Curve(
        scored["step"].to_numpy(), scored[VALIDATION].to_numpy(), logged["step"].to_numpy(), logged[LOSS].to_numpy()
    )


def failed_seeds(study: Study) -> dict[str, list[int]]:
    """By source: the seeds whose students collapsed to one class, or lie far below their siblings.

    On all test rows, of a part too: whoever is right on rows of one class has not collapsed to it.
    """
    students_of_source = (study.whole or study).students
    return {
        source: [
            seed
            for seed, failed in zip(
                study.settings.seeds, failed_runs(students.predictions, macro_f1(students.counts)), strict=True
            )
            if failed
        ]
        for source, students in students_of_source.items()
    }
