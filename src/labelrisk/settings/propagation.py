"""The section `explain.propagation`: how an annotator's errors are followed to its students."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labelrisk.settings.section import Count, Section, Seed


class PropagationSettings(Section):
    """neighbours: train rows that a test row is held to look like.

    smoothing: the share of even doubt that is mixed into an annotator's probabilities where they hold zeros.
    head_rows: train rows, at most, from which an annotator's errors are predicted; seed: of draws and folds.
    """

    neighbours: Annotated[int, Field(ge=1, le=10_000)] = 10  # train rows that a test row is held to look like
    train_rows: Count = 50_000  # of more train rows with gold so many are drawn, among which look-alikes are sought
    smoothing: Annotated[float, Field(gt=0, lt=0.1)] = 0.01  # share of even doubt where probabilities are 0
    head_rows: Annotated[int, Field(ge=100, le=10**12)] = 5000  # train rows from which errors are predicted
    seed: Seed = 0  # of draws of rows and of folds
