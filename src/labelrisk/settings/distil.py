"""The section `distil`: the one student that learns what the chosen ensemble says."""

from __future__ import annotations

from labelrisk.settings.section import Count, Section, Seed

DISTILLED = "distilled"  # what the student is called, where others have the name of their source


class DistilSettings(Section):
    """Its seed, and how many train rows it learns from; none: all.  Its recipe is that of the section `train`."""

    seed: Seed = 0  # of the student
    rows: Count | None = None  # train rows that it learns from; null: all
