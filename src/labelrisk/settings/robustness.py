"""The section `explain.robustness`: from which difference on sources are told apart in what edits do to labels."""

from __future__ import annotations

from labelrisk.settings.section import Section, Share


class RobustnessSettings(Section):
    """margin: sources whose shares of flipped labels differ by less, for sure, are called alike."""

    margin: Share = 0.05  # smaller differences, for sure, are called alike
