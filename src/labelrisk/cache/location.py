"""Where the call cache lies."""

from __future__ import annotations

from pathlib import Path


def shared_between_experiments(path: Path) -> Path:
    """The project's own file also for `dvc exp run --temp` and the queue, whose folders DVC deletes afterwards."""
    parts = Path.cwd().parts
    for place in range(len(parts) - 2):
        if parts[place : place + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:place]) / path
    return path
