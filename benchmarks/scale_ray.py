"""Students on a Ray cluster of one and of two nodes of one core each, on loopback, beside the workers of this machine.

    python benchmarks/scale_ray.py                          30 students
    python benchmarks/scale_ray.py --largest 10000          12 students

Seconds are from the moment the engine is opened until the last student is there, the start of its workers included;
that of the cluster, which runs already where there is one, is not.  The usual recipe trains one student after the other
in one process: two cores can at best take half its time.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import scale_table
from scale_table import Line

from labelrisk.engines.contract import Needs
from labelrisk.engines.kinds import opened
from labelrisk.params import load
from labelrisk.settings.engine import EngineSettings
from labelrisk.students.one_student import train_student
from labelrisk.students.task import FinishedStudent, SharedInputs, StudentTask

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 12, 30  # students
ROWS = 100_000  # asked for at the least where many are measured
TRAIN, VALIDATION, TEST, STEPS = 400, 100, 300, 5  # rows, and steps of one student
STORE = 200 * 2**20  # bytes of a node's object store
RECIPE = "one after the other in one process"
WORDS = [f"word{number}" for number in range(400)]
CLASSES = ("no", "yes")


def lines(largest: int) -> Iterator[Line]:
    """The same students by each engine; their files must be the same bytes."""
    shared, tasks = study(MANY if largest >= ROWS else FEW)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        usual, expected, gigabytes = pool.submit(one_by_one, shared, tasks).result()
    yield Line("students, one process", TRAIN, usual, gigabytes, len(tasks))
    for name, nodes, jobs in (("students, local engine", 1, 2), ("students, Ray", 1, 1), ("students, Ray", 2, 2)):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            cluster = nodes if "Ray" in name else 0
            seconds, found, gigabytes = pool.submit(by_engine, cluster, jobs, shared, tasks).result()
        if found != expected:
            raise AssertionError(f"{name} on {nodes} nodes gives other bytes")
        yield Line(name, TRAIN, seconds, gigabytes, len(tasks), nodes, usual, RECIPE)


def study(students: int) -> tuple[SharedInputs, list[StudentTask]]:
    """Generated texts of about 20 words, and students of the embedded model, one a seed."""
    generator = np.random.default_rng(0)
    changed = {"model": "embedded", "preset": None, "budget": "steps", "steps": STEPS, "least_steps": 1, "threads": 1}
    recipe = load(ROOT / "params.yaml").train.model_copy(update=changed)
    rows = rows_of(generator, TRAIN + VALIDATION)
    splits = ["train"] * TRAIN + ["validation"] * VALIDATION
    training = parquet(rows.assign(split=splits))
    shared = SharedInputs(parquet(rows_of(generator, TEST)[["id", "text"]]), CLASSES)
    return shared, [StudentTask("generated", seed, training, "training", recipe) for seed in range(students)]


def rows_of(generator: np.random.Generator, count: int) -> pd.DataFrame:
    """Rows whose first word tells the class."""
    labels = generator.integers(0, len(CLASSES), count)
    texts = [f"{CLASSES[label]} " + " ".join(generator.choice(WORDS, 20)) for label in labels]
    names = [CLASSES[label] for label in labels]
    return pd.DataFrame({"id": [f"r{place}" for place in range(count)], "text": texts, "label": names})


def parquet(frame: pd.DataFrame) -> bytes:
    """A frame as the bytes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        frame.to_parquet(path, index=False)
        return path.read_bytes()


def one_by_one(shared: SharedInputs, tasks: Sequence[StudentTask]) -> tuple[float, list[bytes], float]:
    """Seconds, each student's predictions, and GB of this process at its highest."""
    started = time.perf_counter()
    found = [train_student(shared, task) for task in tasks]
    return time.perf_counter() - started, [predictions(one) for one in found], highest()


def by_engine(
    nodes: int, jobs: int, shared: SharedInputs, tasks: Sequence[StudentTask]
) -> tuple[float, list[bytes], float]:
    """As one_by_one, by the local engine (0 nodes) or a cluster; GB: of the process that asks, not its workers."""
    with cluster(nodes) as address:
        settings = EngineSettings(kind="ray" if nodes else "local", address=address, jobs=None if nodes else jobs)
        started = time.perf_counter()
        with opened(settings) as engine:
            found = dict(engine.results(partial(train_student, shared), tasks, Needs(cores=1)))
        seconds = time.perf_counter() - started
    return seconds, [predictions(found[place]) for place in range(len(tasks))], highest()


@contextmanager
def cluster(nodes: int) -> Iterator[str | None]:
    """The address of so many nodes of one core each; None for none."""
    if not nodes:
        yield None
        return
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": STORE}
    found = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            found.add_node(**node)
        yield found.address
    finally:
        found.shutdown()


def predictions(student: FinishedStudent) -> bytes:
    """What is compared."""
    return student.files["predictions.parquet"]


def highest() -> float:
    """GB that this process has held at once."""
    status = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in status if line.startswith("VmHWM:"))) * 1024 / 1e9


if __name__ == "__main__":
    scale_table.main(lines, __doc__)
