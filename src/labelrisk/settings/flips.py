"""What the explanation `flips` is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Count, Section, Seed


class FlipsSettings(Section):
    """neighbours: nearest train rows, the distance to which is meant; train_rows: drawn of more; seed: of that draw.

    bins: of equal mass, of each covariate; rows: of the table of the rows that flip most.
    """

    neighbours: Annotated[int, Field(ge=1, le=1000)] = 5  # nearest train rows, the distance to which is meant
    train_rows: Count = 10_000  # of more train rows so many are drawn
    seed: Seed = 0  # of that draw
    bins: Annotated[int, Field(ge=2, le=100)] = 10  # number of bins of equal mass, of each covariate
    rows: Annotated[int, Field(ge=1, le=200)] = 200  # of the table of rows that flip most
