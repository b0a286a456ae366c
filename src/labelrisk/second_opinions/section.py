"""The section `second_opinions`: whose rows are doubted, which of them, and who is asked about these."""

from __future__ import annotations

from pydantic import field_validator

from labelrisk.annotators.kinds import Annotator
from labelrisk.settings.section import Section, Share
from labelrisk.sources.selection import Selection

READ_FROM_LABELS = ("entropy", "margin", "flips", "random")  # doubts that need nothing but the labels of one annotator


class SecondOpinion(Section):
    """An annotator that is asked about some train rows only: those that `select` takes, and some of the others.

    of: an annotator, a panel or another second opinion; random_share: of its other labelled rows, so that these can be
    judged, too; ask: the section of any annotator but gold.
    """

    of: str  # an annotator, a panel or another second opinion
    select: Selection  # which of its rows are asked about
    random_share: Share | None = None  # of its other labelled rows, so that these can be judged, too
    ask: Annotator  # the section of any annotator but gold

    @field_validator("select")
    @classmethod
    def _is_read_from_labels(cls, select: Selection) -> Selection:
        if select.by not in READ_FROM_LABELS:
            raise ValueError(
                f"'by: {select.by}' needs more than the labels of 'of'; select by {', '.join(READ_FROM_LABELS)}, or "
                "let a source select, with action: relabel and an annotator as relabel_by"
            )
        return select

    @field_validator("ask")
    @classmethod
    def _is_not_gold(cls, ask: Annotator) -> Annotator:
        if ask.kind == "gold":
            raise ValueError("'kind: gold' would spend gold labels that nobody counts; give a source action: gold")
        return ask

    def gives_probabilities(self, classes: int) -> bool:
        """Those of who is asked."""
        return self.ask.gives_probabilities(classes)
