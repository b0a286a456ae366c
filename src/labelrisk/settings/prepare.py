"""The section `prepare`: how rows are split and capped."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from labelrisk.settings.section import Count, Section, Seed, Share


class PrepareSettings(Section):
    """Shares of a corpus without splits of its own, caps of each split (None: all rows), and the seed of the draw."""

    validation_share: Share  # share of rows with gold, when the corpus has no splits
    test_share: Share  # of these rows, too
    train_rows: Count | None  # train rows at most; null: all
    validation_rows: Count | None  # validation rows at most; null: all
    test_rows: Count | None  # test rows at most; null: all
    seed: Seed  # of the split and the order of rows
    near_duplicates: Annotated[float, Field(ge=0.5, le=1)] | None = None  # Jaccard index of two texts; null: all stay

    @model_validator(mode="after")
    def _leaves_train_rows(self) -> PrepareSettings:
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                f"'validation_share' {self.validation_share} and 'test_share' {self.test_share} leave no rows to train "
                "on; lower one"
            )
        return self
