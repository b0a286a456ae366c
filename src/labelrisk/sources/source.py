"""A label source as params.yaml declares it: whose labels, what is done to the doubtful ones, how they are learned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from labelrisk.repairs.kinds import Repair
from labelrisk.settings.section import Count, Section, Share
from labelrisk.sources.selection import Selection

Targets = Literal["hard", "soft", "candidates"]


class Source(Section):
    """A label source: an annotator's labels, what is selected and done to it, or a control.

    A control by noise stands alone; one at random repeats nothing of the source that it names (`of`).
    """

    annotator: str  # whose labels: an annotator or a panel
    labels: Literal["annotator", "gold"] = "annotator"  # gold: starts from the gold labels of its rows
    rows: Count | None = None  # the first so many of an order in which small parts lie in larger ones
    select: Selection | None = None  # the doubtful rows
    action: Literal["drop", "gold", "relabel", "abstain"] | None = None  # what is done to them
    relabel_by: str | None = None  # whose labels they get
    repair: Annotated[Repair, Field(discriminator="kind")] | None = None  # new labels from vectors of the texts
    targets: Targets = "hard"  # soft: its probabilities; candidates: its plausible labels
    weights: Literal["none", "confidence"] = "none"  # confidence: surer labels count more
    noise: Literal["confusion", "uniform"] | None = None  # errors that are drawn onto gold
    at: Share | None = None  # the rate of errors; that of the annotator where it is not given
    control: Literal["random"] | None = None  # the twin of another source: as many rows at random
    of: str | None = None  # that other source

    @model_validator(mode="after")
    def _is_one_thing(self) -> Source:
        if (self.control is None) != (self.of is None):
            raise ValueError("'control' and 'of' come together")
        repeated = sorted(self.model_fields_set - {"annotator", "control", "of"})
        if self.control is not None and repeated:
            raise ValueError(f"'control' and '{repeated[0]}' can't be combined: a control does what its 'of' does")
        if (self.action == "relabel") != (self.relabel_by is not None):
            raise ValueError("'action: relabel' and 'relabel_by', whose labels are taken, come together")
        if (self.select is None) != (self.action is None) and self.action != "relabel":
            raise ValueError("'select' and 'action' come together")
        if self.at is not None and self.noise is None:
            raise ValueError("'at' is a rate of errors and needs 'noise'")
        if self.noise is not None and self.labels != "gold":
            raise ValueError("'noise' needs 'labels: gold': noise is drawn onto gold labels")
        self._refuse_pairs()
        return self

    def _refuse_pairs(self) -> None:
        set_to = {
            "noise": self.noise is not None,
            "select": self.select is not None or self.action is not None,
            "repair": self.repair is not None,
            f"targets: {self.targets}": self.targets != "hard",
            "weights": self.weights != "none",
            "labels: gold": self.labels == "gold",
        }
        if self.repair is not None and self.repair.gives == {"doubts"}:
            raise ValueError(
                f"'repair: {self.repair.kind}' only doubts labels; name it in 'select.by', with an 'action'"
            )
        learned = (f"targets: {self.targets}", "weights")
        refused = [("noise", other) for other in ("select", "repair", *learned)]
        refused += [("repair", "select"), *(("labels: gold", other) for other in ("repair", *learned))]
        if self.repair is not None and "weights" in self.repair.gives:
            refused.append(("repair", "weights"))
        if self.targets == "soft" or (self.repair is not None and "candidates" not in self.repair.gives):
            refused.append(("repair", f"targets: {self.targets}"))
        for one, other in refused:
            if set_to[one] and set_to[other]:
                raise ValueError(f"'{one}' and '{other}' can't be combined: {WHY[one]}")

    @property
    def is_treated(self) -> bool:
        """Whether anything is done to the labels or to how they are learned, beside taking fewer rows of them."""
        return (
            bool(self.select or self.action or self.noise or self.control or self.repair) or self.is_learned_otherwise
        )

    @property
    def is_learned_otherwise(self) -> bool:
        """Whether students learn from more than labels."""
        return self.targets != "hard" or self.weights != "none"


WHY = {
    "noise": "a control by noise stands alone",
    "repair": "a repair gives labels of its own",
    "labels: gold": "gold labels come without doubts and probabilities",
}
