"""Which sources a chart shows: of hundreds the best and the worst, and the reference beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from labelrisk.charts.contract import StudyFiles
from labelrisk.charts.panels import PANELS
from labelrisk.charts.study_files import json_of
from labelrisk.charts.wording import cut_short, extremes, shown_names


class Chosen(NamedTuple):
    """The reference as it is called, the sources that have a panel, how all are written, and what the reading adds.

    beside: whether the reference has no panel of its own and stands in grey in those of the others.
    """

    reference: str
    panels: list[str]
    shown: dict[str, str]
    beside: bool
    said: str

    @property
    def grey(self) -> str:
        """What the reading says of the grey marks."""
        return f"; grey is {self.shown[self.reference]}, the reference" if self.beside else ""


def reference_of(files: StudyFiles) -> str:
    """The source that the others are held against: the one that has no difference."""
    sources = json_of(files.metrics / "verdict.json").get("sources", {})
    return next((str(name) for name, one in sources.items() if one["difference"] is None), "")


def chosen_sources(files: StudyFiles, names: Iterable[str], most: int = PANELS) -> Chosen:
    """Of `names` those that get a panel: all but the reference, or it alone; of many the best and worst by macro-F1."""
    shown, reference = shown_names(names), reference_of(files)
    scores = json_of(files.metrics / "sources.json")
    others = {name: scores.get(name, {}).get("macro_f1") or 0.0 for name in shown if name != reference}
    if not others:
        return Chosen(reference, list(shown), shown, False, "")
    chosen = extremes(others, most)
    said = cut_short(len(others), len(chosen), "sources", "best and worst")
    return Chosen(reference, chosen, shown, reference in shown, said)
