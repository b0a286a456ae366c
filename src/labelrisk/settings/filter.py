"""The section `filter`: how label sources are built."""

from __future__ import annotations

from typing import Literal

from labelrisk.settings.section import Section, Seed


class FilterSettings(Section):
    """The seed of selections and noise, and whose labels choose a student's best checkpoint."""

    seed: Seed
    validation_labels: Literal["gold", "annotator"]
