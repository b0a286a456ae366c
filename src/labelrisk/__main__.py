"""Run as a command, or as one that starts warm."""

import sys

from labelrisk import warm_starts
from labelrisk.cli import main


def preload() -> None:
    """Import what a student needs."""
    from labelrisk.students.preloading import preload

    preload()


sys.exit(warm_starts.run(main, preload, sys.argv[1:]))
