"""The section `train`: the student and the recipe of its fine-tuning."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from labelrisk.settings.section import Count, Section


class TrainSettings(Section):
    """An encoder, how it is computed, and the recipe: how long, and AdamW with linear warm-up and decay."""

    model: str  # 'embedded', a folder, or a name on the hub
    revision: str | None  # the commit of a hub model
    precision: Literal["auto", "bf16", "fp32"]  # auto: bf16 where the machine is fast at it
    threads: Count = 1  # of one student on the CPU; other numbers are other bytes
    together: Count = 1  # students of one source in one pass of an accelerator; other numbers are other dropout
    method: Literal["full", "lora"] = "full"  # lora: thin matrices beside the encoder's, and the head
    rank: Count = 8  # of lora's matrices
    alpha: Annotated[float, Field(gt=0)] = 16  # what they add is multiplied by alpha / rank
    preset: Literal["papers"] | None = None  # papers: their recipe in place of the keys below, from budget on
    budget: Literal["steps", "epochs"]  # steps: all train equally long; epochs: by their rows
    steps: Count  # at most, with budget: steps
    epochs: Count  # with budget: epochs
    least_steps: Count  # floor: no student stops earlier
    validate_every: Count | None  # steps between validations; null: once an epoch
    patience: Count | None  # validations without a better one that stop it; null: never
    batch_size: Count  # rows of a step
    evaluation_batch_size: Count  # rows predicted at once
    learning_rate: Annotated[float, Field(gt=0)]  # after the warm-up, where it is highest
    weight_decay: Annotated[float, Field(ge=0)]  # of AdamW, decoupled
    warmup_share: Annotated[float, Field(ge=0, lt=1)]  # share of the steps in which the rate rises
    dropout: Annotated[float, Field(ge=0, lt=1)]  # share of activations dropped in training
    max_tokens: Annotated[int, Field(ge=8)]  # what a text has more is cut off

    @model_validator(mode="after")
    def _floor_is_reachable(self) -> TrainSettings:
        if self.budget == "steps" and self.preset is None and self.least_steps > self.steps:
            raise ValueError(f"least_steps is {self.least_steps}, more than steps: {self.steps}; lower or raise one")
        return self

    @model_validator(mode="after")
    def _preset_is_for_full(self) -> TrainSettings:
        if self.method == "lora" and self.preset is not None:
            raise ValueError(
                f"preset: {self.preset} trains all weights, at a rate too low for method: lora; "
                "set preset: null and write the recipe down, or set method: full"
            )
        return self

    def steps_for(self, rows: int) -> int:
        """Steps that a student of so many rows is given, by the budget; never fewer than least_steps."""
        if self.budget == "steps":
            return self.steps
        return max(self.epochs * self.steps_per_epoch(rows), self.least_steps)

    def steps_per_epoch(self, rows: int) -> int:
        """Batches that hold each row once."""
        return math.ceil(rows / self.batch_size)
