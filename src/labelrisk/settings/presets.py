"""Recipes by name, which take the place of keys of the section `train`."""

from __future__ import annotations

from typing import Any

from labelrisk.settings.train import TrainSettings

# papers: Lu & Smith (arXiv 2504.15432), section 4.1; they do not say how often they validate.
PRESETS: dict[str, dict[str, Any]] = {
    "papers": {
        "budget": "epochs",
        "epochs": 3,
        "least_steps": 1,
        "validate_every": None,
        "patience": None,
        "batch_size": 16,
        "learning_rate": 2e-5,
        "weight_decay": 0.01,
        "warmup_share": 0.05,
        "dropout": 0.1,
    }
}


def recipe_of(settings: TrainSettings) -> TrainSettings:
    """The settings with the preset's keys in place of those that were written down."""
    return settings if settings.preset is None else settings.model_copy(update=PRESETS[settings.preset])
