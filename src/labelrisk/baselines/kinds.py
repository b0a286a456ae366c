"""The kinds of baselines.  A new kind is a new file with a function like Features, named here and in its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from labelrisk.baselines.vectors import vectors
from labelrisk.baselines.words import words
from labelrisk.settings.baseline import BaselineKind

# of the texts of train, and of other splits: their features in the same order, (N, D) each, made from train alone
Features = Callable[[Sequence[str], Sequence[Sequence[str]]], list[Any]]
FEATURES: dict[BaselineKind, Features] = {"words": words, "vectors": vectors}
