"""Whether one annotator's asking goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class StopSignal:
    """Stops the asking once; what is in flight is still awaited and stored.

    stopped: why nothing more is sent, or None; over: set once there is such a reason; on_stop: called then.
    """

    def __init__(self) -> None:
        self.stopped: BaseException | None = None
        self.over = asyncio.Event()
        self.on_stop: Callable[[], None] = lambda: None

    def stop(self, reason: BaseException) -> None:
        """Send nothing more."""
        self.stopped = self.stopped or reason
        self.over.set()
        self.on_stop()

    async def sleep(self, seconds: float) -> None:
        """Wait that long, or until the asking stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
