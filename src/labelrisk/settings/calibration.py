"""What the explanation `calibration` is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Count, Section


class CalibrationSettings(Section):
    """bins of equal mass, and the fewest rows of one; validation_rows: with fewer of gold no temperature is fitted."""

    bins: Annotated[int, Field(ge=2, le=1000)] = 15  # number of bins of equal mass
    bin_rows: Annotated[int, Field(ge=3, le=10**12)] = 20  # fewest rows of a bin
    validation_rows: Count = 50  # with fewer of gold no temperature is fitted
