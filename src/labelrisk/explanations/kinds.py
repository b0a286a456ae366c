"""All explanations, by the names of their files.  A new one is a new file beside this one, and its name here."""

from __future__ import annotations

from labelrisk.explanations.annotators import annotators
from labelrisk.explanations.calibration import calibration
from labelrisk.explanations.certificates import certificates
from labelrisk.explanations.contract import Explain
from labelrisk.explanations.curves import curves
from labelrisk.explanations.downstream import downstream
from labelrisk.explanations.ensembles import ensembles
from labelrisk.explanations.flips import flips
from labelrisk.explanations.propagation import propagation
from labelrisk.explanations.robustness import robustness

EXPLANATIONS: dict[str, Explain] = {
    "curves": curves,
    "certificates": certificates,
    "calibration": calibration,
    "flips": flips,
    "annotators": annotators,
    "downstream": downstream,
    "ensembles": ensembles,
    "propagation": propagation,
    "robustness": robustness,
}
