"""A label source as params.yaml declares it."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from labelrisk.settings.section import Section, Share


class Selection(Section):
    """Which of the annotator's rows an action falls on."""

    by: Literal["entropy", "random"]
    share: Share


class Source(Section):
    """A label source: an annotator's labels, what is selected and done to it, or a control.

    A control by noise stands alone; one at random repeats nothing of the source that it names (`of`).
    """

    annotator: str
    labels: Literal["annotator", "gold"] = "annotator"
    select: Selection | None = None
    action: Literal["drop", "gold"] | None = None
    noise: Literal["confusion", "uniform"] | None = None
    control: Literal["random"] | None = None
    of: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Source:
        if (self.control is None) != (self.of is None):
            raise ValueError("'control' and 'of' come together")
        repeated = sorted({"labels", "select", "action", "noise"} & self.model_fields_set)
        if self.control is not None and repeated:
            raise ValueError(f"'control' and '{repeated[0]}' can't be combined: a control does what its 'of' does")
        if (self.select is None) != (self.action is None):
            raise ValueError("'select' and 'action' come together")
        if self.noise is not None and self.labels != "gold":
            raise ValueError("'noise' needs 'labels: gold': noise is drawn onto gold labels")
        if self.noise is not None and self.select is not None:
            raise ValueError("'noise' and 'select' can't be combined")
        return self
