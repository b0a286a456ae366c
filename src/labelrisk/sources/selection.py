"""Which rows an action falls on."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, field_validator, model_validator

from labelrisk.errors import nearest
from labelrisk.repairs.contract import Codes, Floats
from labelrisk.settings.section import Count, Section, Share
from labelrisk.sources.doubts import KINDS, RANDOM, WITH_RULE, Doubts
from labelrisk.statistics.class_codes import NO_LABEL


class Selection(Section):
    """The most doubtful rows: a share, a number, or what the kind of doubt takes by its own rule."""

    by: str  # the kind of doubt, or random
    share: Share | None = None  # share of the rows that can be ranked
    rows: Count | None = None  # number of rows, in place of a share
    of: Annotated[tuple[str, ...], Field(min_length=2)] | None = None  # who may disagree, with by: disagreement

    @field_validator("by")
    @classmethod
    def _is_known(cls, by: str) -> str:
        if by not in KINDS:
            raise ValueError(f"must be one of {', '.join(KINDS)}; {nearest(by, KINDS)}")
        return by

    @model_validator(mode="after")
    def _fits(self) -> Selection:
        if self.share is not None and self.rows is not None:
            raise ValueError("'share' and 'rows' can't be combined")
        if self.by not in WITH_RULE and self.share is None and self.rows is None:
            raise ValueError(f"'by: {self.by}' needs 'share' or 'rows': it has no rule of its own for how many")
        if (self.of is None) == (self.by == "disagreement"):
            raise ValueError("'by: disagreement' needs 'of', a list of annotators, and nothing else takes it")
        return self

    def size(self, candidates: int, picked: int) -> int:
        """How many rows of so many candidates, of which the rule of the kind picked so many."""
        if self.rows is not None:
            return min(self.rows, candidates)
        return picked if self.share is None else round(self.share * candidates)


def selected_at_random(selection: Selection) -> Selection | None:
    """As many rows at random; None where a rule of its own says how many."""
    if selection.share is None and selection.rows is None:
        return None
    return selection.model_copy(update={"by": RANDOM, "of": None})


def chosen(
    selection: Selection, doubts: Doubts, labels: Codes, generator: np.random.Generator, at_random: bool = False
) -> Codes:
    """Positions of the rows that are chosen, ascending.  labels: codes as they stand (N,); rows without are left alone.

    at_random: as many rows, drawn from the same candidates: the selection's control.
    """
    ranked = ~np.isnan(doubts.values) & (labels != NO_LABEL)
    picked = ranked if doubts.picked is None else ranked & doubts.picked
    size = selection.size(int(ranked.sum()), int(picked.sum()))
    if at_random or selection.by == RANDOM:
        return drawn(np.flatnonzero(ranked), size, generator)
    if selection.share is None and selection.rows is None:
        return np.flatnonzero(picked)
    return most_doubtful(np.where(ranked, doubts.values, np.nan), size, generator)


def most_doubtful(values: Floats, size: int, generator: np.random.Generator) -> Codes:
    """Positions of the rows with the highest values: a rank, never a threshold (paper A); ties fall at random.

    values: (N,), NaN for a row that is not ranked.
    """
    ranked = np.flatnonzero(~np.isnan(values))
    order = np.lexsort((generator.random(len(ranked)), -values[ranked]))
    return np.sort(ranked[order[:size]])


def drawn(candidates: Codes, size: int, generator: np.random.Generator) -> Codes:
    """`size` of the candidate positions, drawn without replacement."""
    return np.sort(generator.choice(candidates, size=size, replace=False))
