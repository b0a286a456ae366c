"""What an annotator may spend, and what it has spent."""

from __future__ import annotations

from dataclasses import dataclass

from labelrisk.errors import LabelRiskError


@dataclass(frozen=True, slots=True)
class Spending:
    """What an annotator has spent here: requests sent, and their cost with unknown costs at their upper bound.

    lost: requests that were in flight when a process was killed; they count at their upper bound.
    """

    requests: int = 0
    cost: float = 0.0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Caps:
    """What an annotator may spend in all, over runs; None: there is no such cap."""

    cost: float | None = None
    requests: int | None = None

    def exceeded(self, spent: Spending, claimed: float, bound: float) -> str | None:
        """The cap that one more request would exceed; claimed, bound: the most that claims so far and this one cost."""
        if self.requests is not None and spent.requests + 1 > self.requests:
            return "max_requests"
        if self.cost is not None and spent.cost + claimed + bound > self.cost:
            return "max_cost"
        return None

    def error(self, annotator: str, cap: str, spent: Spending) -> LabelRiskError:
        """The sentence at a cap."""
        limit = self.cost if cap == "max_cost" else self.requests
        return LabelRiskError(
            f"annotators.{annotator}: {cap} {limit:g} is reached: {spent.requests:,} requests sent and at most "
            f"{spent.cost:.4f} spent here so far; every answer is stored: raise {cap} in params.yaml and run again to "
            "ask for the rest only"
        )
