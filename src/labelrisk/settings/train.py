"""The section `train`: the student and the recipe of its fine-tuning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from labelrisk.settings.section import Count, Section


class TrainSettings(Section):
    """An encoder, the precision it is trained in, and the hyperparameters of AdamW with linear warm-up and decay."""

    model: str  # 'embedded', a folder, or a name on the hub
    revision: str | None
    precision: Literal["auto", "bf16", "fp32"]
    epochs: Count
    batch_size: Count
    evaluation_batch_size: Count
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    warmup_share: Annotated[float, Field(ge=0, lt=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    max_tokens: Annotated[int, Field(ge=8)]
