"""How long students took to train here: beside DVC's outputs, which are to be the same bytes at every run."""

from __future__ import annotations

import json
import statistics
from contextlib import suppress
from pathlib import Path

from labelrisk.files import make_unseen_folder

LATEST = 100  # lines that a mean is taken of


def note_duration(path: Path, source: str, seed: int, steps: int, seconds: float) -> None:
    """Append a line about one student; several processes may do so at once."""
    make_unseen_folder(path.parent)
    line = json.dumps({"source": source, "seed": seed, "steps": steps, "seconds": round(seconds, 1)})
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def seconds_per_step(path: Path) -> float | None:
    """Median over the latest students, start and end of a run included; None where none was trained here.

    A line that a crash cut short is left out.
    """
    found = []
    for line in path.read_text(encoding="utf-8").splitlines()[-LATEST:] if path.exists() else []:
        with suppress(ValueError, KeyError):
            student = json.loads(line)
            found.append(float(student["seconds"] / student["steps"]))
    return statistics.median(found) if found else None
