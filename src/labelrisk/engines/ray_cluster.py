"""Tasks on all nodes of a Ray cluster; what dies with a node or a worker is computed again elsewhere."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from labelrisk.engines.contract import Needs
from labelrisk.engines.ray_connection import connected
from labelrisk.errors import LabelRiskError, shown
from labelrisk.settings.engine import EngineSettings

T = TypeVar("T")
R = TypeVar("R")
TRIES = 3  # of one task, when not the task fails but what it runs on
AHEAD = 2  # tasks sent for each that is computed: no core waits for the next one, and a cluster that grows sees demand
POLL = 1.0  # seconds


@contextmanager
def ray_engine(settings: EngineSettings) -> Iterator[RayEngine]:
    """An engine that is connected to the cluster, or to a Ray of its own.

    Raises LabelRiskError where the cluster can't be used.
    """
    with connected(settings.address):
        yield RayEngine(settings.jobs)


class RayEngine:
    """Spreads tasks over the nodes, at most `jobs` at once; None: as many as they have cores, GPUs and memory for."""

    def __init__(self, jobs: int | None = None) -> None:
        self._jobs = jobs

    def results(self, function: Callable[[T], R], tasks: Sequence[T], needs: Needs) -> Iterator[tuple[int, R]]:
        """As the contract says; a task whose node or worker dies is sent again, TRIES times in all."""
        import ray

        from labelrisk.engines.ray_nodes import Nodes
        from labelrisk.engines.ray_task import versions_here

        remote = _remote(needs)
        shared = [ray.put(function)] if len(tasks) else []
        nodes = Nodes(needs)
        waiting, running = deque(range(len(tasks))), dict[Any, int]()
        tries, failure = Counter[int](), None
        try:
            while running or (waiting and failure is None):
                able = AHEAD * nodes.at_once()  # also where jobs are stated: what no node has, none will ever compute
                most = self._jobs or max(1, able)
                while waiting and len(running) < most and failure is None:
                    place = waiting.popleft()
                    running[remote.remote(shared, versions_here(), tasks[place])] = place
                for ready in ray.wait(list(running), timeout=POLL)[0]:
                    place = running.pop(ready)
                    try:
                        found = ray.get(ready)
                    except ray.exceptions.RayTaskError as error:  # a fault, which is more than a task's
                        raise error.cause from error
                    except ray.exceptions.RayError as error:
                        tries[place] += 1
                        if tries[place] < TRIES and failure is None:
                            waiting.appendleft(place)
                        else:
                            failure = failure or LabelRiskError(_sentence(tasks[place], error))
                        continue
                    if found.sentence is None:
                        yield place, found.value
                    else:
                        failure = failure or LabelRiskError(found.sentence)
        finally:
            for ready in running:  # an interrupt, or who asked wants no more
                with suppress(ray.exceptions.RayError):
                    ray.cancel(ready, force=True)
        if failure is not None:
            raise failure


def _remote(needs: Needs) -> Any:
    """What sends a task.  Workers are used again, also those with a GPU, which Ray by itself would end after a task."""
    import ray

    from labelrisk.engines.ray_task import environment, outcome

    options: dict[str, Any] = {"num_cpus": needs.cores, "num_gpus": needs.gpus, "max_calls": 0, "max_retries": 0}
    if needs.memory:
        options["memory"] = int(needs.memory)
    environment_of_workers = {"env_vars": environment(needs.cores)}
    return ray.remote(**options, scheduling_strategy="SPREAD", runtime_env=environment_of_workers)(outcome)


def _sentence(task: object, error: Exception) -> str:
    """What Ray says of a node or worker that died, which are often many lines."""
    reason, what = death(error)
    return f"{shown(task)}: {reason}, {TRIES} times{what}"


def death(error: Exception) -> tuple[str, str]:
    """Why a worker or a node died, as part of a sentence, and what to do, as the end of one."""
    import ray

    what = "; run again to go on"
    words = shown(" ".join(str(error).split()), 200)
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        reason = "its node ran out of memory"
        what = "; give engine.jobs fewer at once, or the nodes more memory, and run again"
    elif isinstance(error, ray.exceptions.WorkerCrashedError):
        reason = "its process was killed, perhaps since memory ran out (engine.jobs: fewer at once)"
    elif isinstance(error, ray.exceptions.NodeDiedError):
        reason = "its node died"
    elif isinstance(error, ray.exceptions.RuntimeEnvSetupError):
        reason = f"a node can't take the code of labelrisk ({words})"
    else:
        reason = f"its result was lost ({words})"
    return reason, what
