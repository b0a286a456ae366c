"""The section `calibrate`: what is learned of classifiers on validation rows, so that they can be applied elsewhere."""

from __future__ import annotations

from labelrisk.settings.section import Count, Section, Seed, Share


class CalibrateSettings(Section):
    """How sure sets of labels are, which texts count as unlike those learned from, and by how many of these."""

    risk: Share = 0.1  # share of new rows whose set of labels may lack the right one
    unlike: Share = 0.05  # share of texts like the known ones that may be called unlike them
    neighbours: Count = 5  # how far a text is, is its distance to the so-many-th nearest train text
    texts: Count = 4096  # train texts whose vectors are kept for that, drawn where there are more
    validation_rows: Count = 50  # with fewer that have gold no temperature is fitted
    seed: Seed = 0  # of that draw
