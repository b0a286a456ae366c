"""What the tests of engines let workers compute; run as a script, it computes tasks that last until it is ended."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from labelrisk.engines.contract import Needs
from labelrisk.engines.kinds import opened
from labelrisk.errors import LabelRiskError
from labelrisk.settings.engine import EngineSettings


def square(shared, number):
    """The square of a number, who computed it, and with how many threads libraries were told to."""
    time.sleep(0.02)
    return shared + number * number, os.getpid(), os.environ["OMP_NUM_THREADS"]


def faulty(folder, number):
    """Notes that it began; the third is a user's mistake, the fifth dies, the seventh is a fault."""
    (folder / str(number)).touch()
    if number == 2:
        raise LabelRiskError("task 2 has no rows; add some")
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 6:
        return [][number]
    time.sleep(0.3 if number % 2 else 0)
    return number


def endless(folder, number):
    """Says which process computes it, for good."""
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(1000 + number)


class Named:
    """A task with a name."""

    def __init__(self, number):
        self.number = number

    def __str__(self):
        return f"task {self.number}"


def named(folder, task):
    """As `faulty`, of a task with a name."""
    return faulty(folder, task.number)


if __name__ == "__main__":
    from labelrisk import cli

    def _run(words):
        with opened(EngineSettings(), jobs=2) as engine:
            list(engine.results(partial(endless, Path(sys.argv[1])), range(4), Needs()))

    cli._run = _run
    sys.exit(cli.main(["train"]))
