"""The section `explain.certificates`: how wrong answers may be, and how sure that must be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Section, Seed, Share


class CertificatesSettings(Section):
    """risk: the share of answers that may be wrong; confidence: of every certificate, default evaluate.confidence.

    seed: of the parts into which test rows are split to measure prediction sets.
    """

    risk: Share = 0.1  # share of answers that may be wrong
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = None  # null: that of evaluate
    seed: Seed = 0  # of the parts that measure prediction sets
