"""The section `ensemble`: which sources vote together, and which vote is kept as a classifier."""

from __future__ import annotations

from labelrisk.settings.section import Section

AUTO = "auto"  # the source whose students' vote is best on validation rows


class EnsembleSettings(Section):
    """across: names of sources; none leaves the vote over sources out.  chosen: auto, a source, or `across`."""

    across: tuple[str, ...]  # sources that vote together; none: no such vote
    chosen: str = AUTO  # whose vote is kept: auto, a source, or across
