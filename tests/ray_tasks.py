"""Tasks that workers of a Ray cluster run in tests: they say where they ran, or fall in one of the ways there are."""

import os
import signal
import time
from pathlib import Path

from labelrisk.engines.contract import Needs
from labelrisk.errors import LabelRiskError

ONE = Needs(cores=1)


def note(folder, task):
    """Leave a line that task has begun: number, process and node."""
    import ray

    node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else "here"
    with (Path(folder) / "begun.txt").open("a") as file:
        file.write(f"{task}\t{os.getpid()}\t{node}\n")
    return node


def begun(folder):
    """Of each task that has begun: number, process, node; more than once where it was begun again."""
    path = Path(folder) / "begun.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    parts = (line.split("\t") for line in lines)
    return [(int(task) if task.isdecimal() else task, int(process), node) for task, process, node in parts]


def square(number):
    return number * number


def about(task):
    """What a worker computes with, and where its labelrisk comes from."""
    import labelrisk

    names = ("OMP_NUM_THREADS", "GOMP_SPINCOUNT", "TEST_API_KEY")
    return Path(labelrisk.__file__).read_text(), {name: os.environ.get(name) for name in names}, os.getpid()


def sleep(folder, seconds, task):
    node = note(folder, task)
    time.sleep(seconds)
    return task, node


def sum_with(array, task):
    """Of what all tasks share."""
    return float(array.sum()) + task, os.getpid()


def refuse(wrong, task):
    if task == wrong:
        raise LabelRiskError(f"row {task} has no text; add it")
    return task


def fail(task):
    return [][task]


def fill_the_disk(task):
    raise OSError(28, "No space left on device", "/scratch/model")


def be_killed(folder, task):
    note(folder, task)
    os.kill(os.getpid(), signal.SIGKILL)


def be_killed_once(folder, task):
    note(folder, task)
    if sum(number == task for number, *_ in begun(folder)) == 1 and task == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def allocate(folder, most, task):
    """Take memory until someone ends this process; most: bytes, so that the machine survives it."""
    note(folder, task)
    held = []
    while sum(map(len, held)) < most:
        held.append(os.urandom(2**16) * 2**10)
        time.sleep(0.03)
    time.sleep(30)


def train(folder, shared, numbered):
    """A real student, with a note of where it was trained."""
    from labelrisk.students.one_student import train_student

    number, task = numbered
    note(folder, number)
    return train_student(shared, task)
