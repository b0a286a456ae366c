"""The section `evaluate`: how sources are compared."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Section, Share


class EvaluateSettings(Section):
    """The reference source, the loss of macro-F1 that is accepted, and the level of intervals."""

    reference: str
    margin: Share
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
