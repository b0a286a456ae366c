"""The section `evaluate`: how sources are compared, and what is accepted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Section, Share


class EvaluateSettings(Section):
    """The reference source, the losses that are accepted, and how sure a judgement must be.

    docs/verdict.md says why the defaults are what they are.
    """

    reference: str  # the source that the others are measured against
    margin: Share  # loss of macro-F1 that you accept
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of intervals, and of each judgement
    class_margin: Share = 0.1  # loss of one class's recall that you accept
    stability_margin: Share = 0.05  # loss of alpha, the agreement of seeds, that you accept
    flat: Share = 0.02  # gain by longer training, up to which students have converged
    slice_rows: Annotated[int, Field(ge=10, le=10**12)] = 30  # test rows from which on a slice has numbers
    power: Annotated[float, Field(gt=0.5, lt=1)] = 0.8  # chance that the advised rows or seeds decide
