"""Ensembles that are drawn anew, source by source: in this process, or wherever an engine computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from labelrisk.comparison.study import Students, Study
from labelrisk.engines.contract import Engine, Needs
from labelrisk.explanations.ensembles.pools import Pool, Said
from labelrisk.explanations.ensembles.sizes import Size, sizes
from labelrisk.settings.engine import EngineSettings
from labelrisk.settings.ensembles import EnsemblesSettings
from labelrisk.statistics.scores import Codes

T = TypeVar("T")
R = TypeVar("R")
LARGE = 3e10  # numbers that votes add up: with fewer, this process is done before workers have started


class OneSource(NamedTuple):
    """The students of one source and the gold of the test rows: a task."""

    name: str
    students: Students
    gold: Codes

    def __str__(self) -> str:
        return f"ensembles of '{self.name}'"


class OnePool(NamedTuple):
    """Students that are put together: a task."""

    pool: Pool

    def __str__(self) -> str:
        return f"the vote of '{self.pool.name}'"


def all_said(pools: Mapping[str, Pool], settings: EnsemblesSettings, engine: Engine | None) -> dict[str, Said]:
    """What each ensemble says, and halves of it."""
    tasks = [OnePool(pool) for pool in pools.values()]
    return dict(zip(pools, _in_order(engine, partial(_said, settings=settings), tasks), strict=True))


def all_sizes(study: Study, settings: EnsemblesSettings, engine: Engine | None) -> dict[str, list[Size]]:
    """By source, ensembles of fewer of its students, drawn anew."""
    tasks = [OneSource(name, students, study.test.gold) for name, students in study.students.items()]
    function = partial(_sizes, settings=settings, confidence=study.settings.evaluate.confidence)
    return dict(zip(study.students, _in_order(engine, function, tasks), strict=True))


def is_worth_an_engine(study: Study, engine: EngineSettings) -> bool:
    """Whether votes are many enough for workers; a cluster is asked where there is one."""
    of_one = next(iter(study.students.values())).probabilities
    redraws = study.settings.explain.ensembles.redraws
    return engine.kind != "local" or 2 * redraws * len(of_one) * of_one.size * len(study.students) > LARGE


def _said(task: OnePool, settings: EnsemblesSettings) -> Said:
    return task.pool.said(settings)


def _sizes(task: OneSource, settings: EnsemblesSettings, confidence: float) -> list[Size]:
    return list(sizes(task.students, task.gold, settings, confidence))


def _in_order(engine: Engine | None, function: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
    """Results in the order of the tasks; without an engine of this process."""
    if engine is None:
        return [function(task) for task in tasks]
    found = dict(engine.results(function, tasks, Needs()))
    return [found[place] for place in range(len(tasks))]
