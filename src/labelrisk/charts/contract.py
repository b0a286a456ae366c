"""What a chart is, and what it is made from.

The page embeds `fitted(spec, width)` (charts/fitting.py: the same function in JavaScript and in Python) with
`config_of(theme)` (charts/themes.py).  Specs name no colour of text or background, and load nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Chart:
    """One chart: a slug, a title, how to read it, what it shows, and its complete Vega-Lite spec with its data.

    reading: one sentence; alternative: its main figures in words, for who can't see it.  Names of classes and sources
    stand in `spec` as data alone, in no field name and no expression; who writes it into HTML escapes `<`.
    """

    name: str
    title: str
    reading: str
    alternative: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class StudyFiles:
    """The folders in which `evaluate`, `ensemble` and `explain` write; a file that is not there gives no chart."""

    metrics: Path
    plots: Path
    explanations: Path
