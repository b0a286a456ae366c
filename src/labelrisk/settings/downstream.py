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

    gold_rows: Annotated[int, Field(ge=20, le=10**6)] = 100  # rows whose gold is used; a third of the test rows at most
    design: Literal["random", "uncertainty"] = "random"  # how they are drawn
    draws: Annotated[int, Field(ge=2, le=10**4)] = 200  # how often such rows are drawn anew
    seed: Seed = 0  # of the draws
    outcome: str | None = None  # the class of the regression; null: a common one
    coefficients: Count = 5  # of the regression, shown at most
