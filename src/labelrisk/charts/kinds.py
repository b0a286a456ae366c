"""All sections of charts, by name.  A new one is a new file in `sections`, and its line here."""

from __future__ import annotations

from collections.abc import Callable

from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.sections.annotators import annotators
from labelrisk.charts.sections.calibration import calibration
from labelrisk.charts.sections.certificates import certificates
from labelrisk.charts.sections.classes import classes
from labelrisk.charts.sections.confusions import confusions
from labelrisk.charts.sections.curves import curves
from labelrisk.charts.sections.downstream import downstream
from labelrisk.charts.sections.ensembles import ensembles
from labelrisk.charts.sections.flips import flips
from labelrisk.charts.sections.frontier import frontier
from labelrisk.charts.sections.prediction_bias import prediction_bias
from labelrisk.charts.sections.propagation import propagation
from labelrisk.charts.sections.robustness import robustness
from labelrisk.charts.sections.slices import slices
from labelrisk.charts.sections.sources import sources
from labelrisk.charts.sections.stability import stability
from labelrisk.charts.sections.training import training
from labelrisk.charts.sections.verdict import verdict

Section = Callable[[StudyFiles], tuple[Chart, ...]]

SECTIONS: dict[str, Section] = {
    "verdict": verdict,
    "sources": sources,
    "stability": stability,
    "frontier": frontier,
    "classes": classes,
    "confusions": confusions,
    "training": training,
    "slices": slices,
    "propagation": propagation,
    "prediction_bias": prediction_bias,
    "flips": flips,
    "calibration": calibration,
    "certificates": certificates,
    "robustness": robustness,
    "downstream": downstream,
    "ensembles": ensembles,
    "annotators": annotators,
    "curves": curves,
}


def charts_of(files: StudyFiles) -> dict[str, tuple[Chart, ...]]:
    """The charts of a study by section; none where a section's files are absent or empty."""
    return {name: section(files) for name, section in SECTIONS.items()}
