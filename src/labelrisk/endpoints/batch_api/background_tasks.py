"""Work in the background whose failure stops the asking."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from labelrisk.spending.budget import Budget, Unanswered


class BackgroundTasks:
    """Work that goes on until it is done, or stops the asking by its failure."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin some work."""
        task = asyncio.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unanswered:  # stopped: what is under way stays for the next run
            pass
        except Exception as error:
            self._budget.stop(error)
