"""What the two ways of asking an endpoint, request by request and in batches, have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from labelrisk.cache.calls import Stored
from labelrisk.cache.templates import RequestTemplate
from labelrisk.spending.budget import Budget

FAILURES_IN_A_ROW = 20  # requests refused, or left unanswered after all retries: the endpoint is not asked further

# Given answers until it is content (True); raises LabelRiskError when one shows that the others are not worth asking.
CheckFirst = Callable[[dict[str, Any]], bool]


class Asker(Protocol):
    """Answers calls from the cache where it has them, else asks.

    interrupted: what is printed at the first Ctrl-C.
    """

    interrupted: ClassVar[str]
    budget: Budget

    async def ask(self, key: bytes, template: RequestTemplate, text: str) -> Stored:
        """The answer to a call; two callers who ask the same share one request.

        Raises RowRefused, Unanswered.
        """

    async def close(self) -> None:
        """Wait until everything that has come is on disk, and hang up."""
