"""What an engine is asked for, and what it gives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Needs(NamedTuple):
    """What one task takes."""

    cores: int = 1  # threads that it computes with
    gpus: float = 0
    memory: float | None = None  # bytes, where known


class Engine(Protocol):
    """Computes many tasks, several at once, in workers that are used again for the next ones."""

    def results(self, function: Callable[[T], R], tasks: Sequence[T], needs: Needs) -> Iterator[tuple[int, R]]:
        """Results of function(task) with the task's place, as they come.

        function: stands in a module, or is a functools.partial of one that does, with what all tasks share; it is sent
        to a worker once.  tasks: read by place, shortly before each is sent, so that few need be in memory; `str(task)`
        names it in a sentence.  All that is sent, and all results, must be picklable.
        Raises LabelRiskError: the sentence that a task raised, or one that says which task's worker died.  What came
        before was given; tasks that were running are finished and given as well, others are not begun.
        """
        ...


def ahead_of(function: Callable[..., Any]) -> str:
    """The module that a worker may import ahead: what the function's module names as AHEAD, or that module itself."""
    while isinstance(function, partial):
        function = function.func
    return str(getattr(sys.modules.get(function.__module__), "AHEAD", function.__module__))
