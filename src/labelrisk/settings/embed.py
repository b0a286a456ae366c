"""The section `embed`: the encoder whose sentence vectors the repairs and the baseline `vectors` work on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from labelrisk.settings.section import Section


class EmbedSettings(Section):
    """An encoder, the type it is computed in, and after how many tokens a text is cut."""

    model: str = "embedded"  # 'embedded', a folder, or a name on the hub
    revision: str | None = None  # the commit of a hub model
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # auto: bf16 where the machine is fast at it
    max_tokens: Annotated[int, Field(ge=8)] = 256  # what a text has more is cut off
