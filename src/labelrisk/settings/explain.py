"""The section `explain`: what lies under the verdict, a key for each explanation that can be told something."""

from __future__ import annotations

from labelrisk.settings.calibration import CalibrationSettings
from labelrisk.settings.certificates import CertificatesSettings
from labelrisk.settings.downstream import DownstreamSettings
from labelrisk.settings.ensembles import EnsemblesSettings
from labelrisk.settings.flips import FlipsSettings
from labelrisk.settings.propagation import PropagationSettings
from labelrisk.settings.robustness import RobustnessSettings
from labelrisk.settings.section import Section


class ExplainSettings(Section):
    """What explanations are told; each has defaults of its own."""

    certificates: CertificatesSettings = CertificatesSettings()  # what may be promised of new rows
    calibration: CalibrationSettings = CalibrationSettings()  # what probabilities are worth
    flips: FlipsSettings = FlipsSettings()  # which rows change with the seed
    propagation: PropagationSettings = PropagationSettings()  # how errors reach students
    downstream: DownstreamSettings = DownstreamSettings()  # what labels do to estimates
    ensembles: EnsemblesSettings = EnsemblesSettings()  # what votes bring
    robustness: RobustnessSettings = RobustnessSettings()  # what edits flip
