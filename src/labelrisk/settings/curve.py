"""The section `curve`: students of fewer rows, from which learning curves are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, model_validator

from labelrisk.settings.section import Count, Section

LEAST = 50  # rows of the smallest students, unless params.yaml says otherwise


def _each_once(values: tuple[int | str, ...]) -> tuple[int | str, ...]:
    if twice := next((value for place, value in enumerate(values) if value in values[:place]), None):
        raise ValueError(f"holds '{twice}' twice")
    return values


class CurveSettings(Section):
    """Which numbers of train rows, of which sources, with how many of the study's seeds; no size is no curve.

    steps: of every student, whatever its rows; None: as many as the study's own students of all rows have.
    """

    sizes: Annotated[tuple[Count, ...], AfterValidator(_each_once)] = ()  # numbers of train rows; none: off
    sources: Annotated[tuple[str, ...], AfterValidator(_each_once)] = ()  # which have curves
    seeds: Count = 3  # how many of the study's, the first
    steps: Count | None = None  # of every student; null: those of all rows

    @model_validator(mode="after")
    def _has_sources(self) -> CurveSettings:
        if self.sizes and not self.sources:
            raise ValueError("'sizes' needs 'sources', the names of those to train; `labelrisk curves` fills in both")
        return self

    def seeds_of(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """The first so many of the study's seeds; all where it has fewer."""
        return tuple(seeds[: self.seeds])


def doublings(rows: int, least: int = LEAST) -> tuple[int, ...]:
    """least, twice that, and so on, all below so many rows."""
    found = []
    while least < rows:
        found.append(least)
        least *= 2
    return tuple(found)
