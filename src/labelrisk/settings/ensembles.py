"""The key `ensembles` of the section `explain`: how ensembles are drawn anew, and learned from validation rows."""

from __future__ import annotations

from labelrisk.settings.section import Count, Section, Seed


class EnsemblesSettings(Section):
    """The seed of draws and folds, draws for each size, and how many validation rows weights and stacking need."""

    seed: Seed = 0  # of draws and folds
    redraws: Count = 30  # pairs of ensembles of each size
    validation_rows: Count = 20  # with fewer nothing is weighted or stacked
