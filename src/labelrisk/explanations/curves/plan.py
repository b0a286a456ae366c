"""Which students learning curves take: sizes that double, of the sources with an annotator's labels as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from labelrisk.params import Settings
from labelrisk.settings.curve import doublings
from labelrisk.sources.source import Source

SEEDS, SMALL_SEEDS = 5, 2
SMALL_SIZES = 3  # the largest


class CurvePlan(NamedTuple):
    """Sizes, names of sources, and how many of the study's seeds."""

    sizes: tuple[int, ...]
    sources: tuple[str, ...]
    seeds: int

    def students(self, rows: Mapping[str, int]) -> int:
        """How many students that is, of sources with so many labelled train rows."""
        return self.seeds * sum(size < rows[source] for size in self.sizes for source in self.sources)


def plain_sources(settings: Settings) -> tuple[str, ...]:
    """The reference, and all sources that are an annotator's labels as they are, in the order of params.yaml."""
    reference = settings.evaluate.reference
    return tuple(
        name for name, of in settings.sources.items() if name == reference or of == Source(annotator=of.annotator)
    )


def curve_plan(settings: Settings, rows: Mapping[str, int], small: bool) -> CurvePlan:
    """The full plan, or a small one: the reference and one other source, three sizes, two seeds.

    rows: labelled train rows of each plain source.
    """
    sources = plain_sources(settings)
    if small:
        reference = settings.evaluate.reference
        others = [name for name in sources if name != reference]
        annotated = [name for name in others if not settings.is_gold(settings.sources[name].annotator)]
        sources = tuple(name for name in sources if name in (reference, *(annotated or others)[:1]))
    sizes = doublings(max(rows[name] for name in sources))
    sizes = sizes[-SMALL_SIZES:] if small else sizes
    return CurvePlan(sizes, sources, min(SMALL_SEEDS if small else SEEDS, len(settings.seeds)))
