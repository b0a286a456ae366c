"""Numbers of explanations as their JSON files have them."""

from __future__ import annotations

from math import isinf

from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import rounded


def interval_json(found: Interval | Contrast) -> dict[str, float | None]:
    """An estimate with its bounds; None for nan and infinity, which JSON lacks; a ratio may have one."""
    return {
        name: None if isinf(value) else rounded(value)
        for name, value in zip(("estimate", "low", "high"), found[:3], strict=True)
    }
