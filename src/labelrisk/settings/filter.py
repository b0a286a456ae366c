"""The section `filter`: how label sources are built."""

from __future__ import annotations

from typing import Literal

from labelrisk.settings.section import Section, Seed, Share


class FilterSettings(Section):
    """The seed of selections and noise, whose labels choose a student's best checkpoint, and what counts as plausible.

    candidate_mass: with `targets: candidates`, of the smallest set of labels that students choose from.
    """

    seed: Seed  # of selections, noise and orders of rows
    validation_labels: Literal["gold", "annotator"]  # what chooses a student's best checkpoint
    candidate_mass: Share = 0.9  # probability of the smallest set of plausible labels
