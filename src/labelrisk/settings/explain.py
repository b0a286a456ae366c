"""The section `explain`: what lies under the verdict, a key for each explanation that can be told something."""

from __future__ import annotations

from labelrisk.settings.section import Section


class ExplainSettings(Section):
    """What explanations are told; each has defaults of its own."""
