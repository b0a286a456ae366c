"""The key `downstream` of the section `explain`: how estimates from labels are tried out on the test rows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from labelrisk.settings.section import Count, Section, Seed


class DownstreamSettings(Section):
    """Of the test rows, gold_rows (at most a third of them) are drawn by a design, `draws` times over.

    outcome: the class whose regression on columns of the corpus is estimated; None for a class that is common enough.
    coefficients: how many of it are shown at most.
    """

    gold_rows: Annotated[int, Field(ge=20, le=10**6)] = 100
    design: Literal["random", "uncertainty"] = "random"
    draws: Annotated[int, Field(ge=2, le=10**4)] = 200
    seed: Seed = 0
    outcome: str | None = None
    coefficients: Count = 5
