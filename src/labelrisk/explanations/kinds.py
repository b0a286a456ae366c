"""All explanations, by the names of their files.  A new one is a new file beside this one, and its name here."""

from __future__ import annotations

from labelrisk.explanations.annotators.explanation import annotators
from labelrisk.explanations.calibration.explanation import calibration
from labelrisk.explanations.certificates.explanation import certificates
from labelrisk.explanations.contract import Explain
from labelrisk.explanations.curves.explanation import curves
from labelrisk.explanations.downstream.explanation import downstream
from labelrisk.explanations.ensembles.explanation import ensembles
from labelrisk.explanations.flips.explanation import flips
from labelrisk.explanations.prediction_bias import prediction_bias
from labelrisk.explanations.propagation.explanation import propagation
from labelrisk.explanations.robustness.explanation import robustness

EXPLANATIONS: dict[str, Explain] = {
    "curves": curves,
    "certificates": certificates,
    "calibration": calibration,
    "flips": flips,
    "annotators": annotators,
    "downstream": downstream,
    "ensembles": ensembles,
    "prediction_bias": prediction_bias,
    "propagation": propagation,
    "robustness": robustness,
}
