"""plots/curves: validation macro-F1 and loss during training, as a table by validation and as a picture by step."""

from __future__ import annotations

from functools import partial

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.pictures.training_curves import draw_training_curves
from labelrisk.comparison.study import Study
from labelrisk.comparison.training_curves import LOSS, VALIDATION, curves_by_validation


def training_curves(study: Study) -> Outputs:
    """A row per source, seed and validation: source, seed, step, loss, validation macro-F1."""
    reference = study.settings.evaluate.reference
    draw = partial(draw_training_curves, frame=study.curves, reference=reference, validation=VALIDATION, loss=LOSS)
    return {"plots/curves.csv": curves_by_validation(study.curves), "plots/curves.png": draw}
