"""The section `ensemble`: which sources vote together."""

from __future__ import annotations

from labelrisk.settings.section import Section


class EnsembleSettings(Section):
    """Names of sources; none leaves the vote over sources out."""

    across: tuple[str, ...]
