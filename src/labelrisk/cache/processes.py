"""Work on many answers, in their order, on all cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from labelrisk.interrupts import end_with_starter

MOST_PROCESSES = 4  # one reads and writes the files of as many
AHEAD = 2  # tasks for each process
Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    here: Callable[[Task], Result],
    start: Callable[..., object] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in the order of the tasks, a few of which are read ahead.

    function: stands in a module; start: of a module too, is called first in each process with the arguments; here: does
    the same in this process, where others were killed, perhaps for their memory.
    """
    processes = min(MOST_PROCESSES, os.cpu_count() or 1)
    context = multiprocessing.get_context("spawn")  # threads are running here
    pool = ProcessPoolExecutor(processes, context, _start, (start, arguments))
    waiting: deque[tuple[Task, Future[Result] | None]] = deque()

    def submitted(task: Task) -> Future[Result] | None:
        try:
            return pool.submit(function, task)
        except BrokenProcessPool:
            return None

    def first() -> tuple[Task, Result]:
        task, future = waiting.popleft()
        try:
            return task, here(task) if future is None else future.result()
        except BrokenProcessPool:
            return task, here(task)

    try:
        for task in tasks:
            waiting.append((task, submitted(task)))
            if len(waiting) > AHEAD * processes:
                yield first()
        while waiting:
            yield first()
    finally:
        pool.shutdown(cancel_futures=True)


def _start(start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    threading.Thread(target=end_with_starter, daemon=True).start()
    if start is not None:
        start(*arguments)
