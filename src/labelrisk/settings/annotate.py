"""The section `annotate`: how requests are sent; nothing here changes what is asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Section


class AnnotateSettings(Section):
    """Requests at once, seconds for one answer, and how long failures are put up with."""

    concurrency: Annotated[int, Field(ge=1, le=10_000)]  # requests at once, at most
    timeout: Annotated[float, Field(gt=0, le=86_400)]  # seconds for one answer
    retries: Annotated[int, Field(ge=0)]  # of one request, after failures of its own
    patience: Annotated[float, Field(gt=0)] = 600.0  # seconds without any answer until the endpoint counts as gone
