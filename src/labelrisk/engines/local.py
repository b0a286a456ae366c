"""Tasks in processes of this machine, which a server forks that has imported what they need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any, TypeVar

from labelrisk.engines.contract import Needs, ahead_of
from labelrisk.engines.machine import cores, free_memory, has_gpu
from labelrisk.engines.worker import Worker
from labelrisk.errors import LabelRiskError

T = TypeVar("T")
R = TypeVar("R")


class LocalEngine:
    """As many workers as the cores and the free memory are enough for; one task at a time is computed in this process.

    One at a time is also where there is a GPU, unless more are asked for.
    """

    def __init__(self, jobs: int | None = None) -> None:
        """jobs: tasks at once; None: by cores and memory."""
        self._jobs = jobs
        self._workers: list[Worker] = []

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def results(self, function: Callable[[T], R], tasks: Sequence[T], needs: Needs) -> Iterator[tuple[int, R]]:
        """As the contract says."""
        jobs = min(self._jobs or most_jobs(needs), len(tasks))
        if jobs <= 1:
            for place in range(len(tasks)):
                yield place, function(tasks[place])
            return
        self._start(jobs, needs.cores, ahead_of(function))
        try:
            yield from self._computed(function, tasks, self._workers[:jobs])
        except BaseException:  # an interrupt, or who asked wants no more: what is being computed is no one's
            self._end()
            raise

    def _computed(self, function: Callable[[T], R], tasks: Sequence[T], idle: list[Worker]) -> Iterator[tuple[int, R]]:
        waiting = iter(range(len(tasks)))
        busy: dict[Any, Worker] = {}
        failure: Exception | None = None
        while True:
            while idle and failure is None and (place := next(waiting, None)) is not None:
                worker = idle.pop()
                worker.begin(function, place, tasks[place])
                busy[worker.answers] = worker
            if not busy:
                break
            for ready in wait(list(busy)):
                worker = busy.pop(ready)
                try:
                    yield worker.place, worker.result()
                    idle.append(worker)
                except LabelRiskError as error:
                    failure = failure or error
                except Exception as error:  # a fault, which is more than a task's
                    failure = error
        if failure is not None:
            raise failure

    def _start(self, jobs: int, threads: int, module: str) -> None:
        self._workers = [worker for worker in self._workers if worker.is_alive()]
        if len(self._workers) >= jobs:
            return
        context = get_context("forkserver")
        context.set_forkserver_preload([module])  # of the first worker of this process; later ones import it themselves
        with _environment(OMP_NUM_THREADS=str(threads), GOMP_SPINCOUNT="10000"):
            self._workers += [Worker(context) for _ in range(jobs - len(self._workers))]

    def _end(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = []


def most_jobs(needs: Needs) -> int:
    """Tasks that the cores and the free memory are enough for; one at a time where there is a GPU."""
    if has_gpu():
        return 1
    by_memory = free_memory() // needs.memory if needs.memory else float("inf")
    return int(max(1, min(cores() // needs.cores, by_memory)))


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Variables for processes that are started meanwhile: libraries read them when they are first imported."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
