"""What one student is trained from, and what it comes to, as content: it may be trained on another machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from labelrisk.settings.train import TrainSettings


class SharedInputs(NamedTuple):
    """What all students of a study share."""

    test: bytes  # Parquet: id, text; gold isn't read
    classes: tuple[str, ...]  # their names in order


class StudentTask(NamedTuple):
    """One student.

    training: Parquet with `id, text, label, split`, and perhaps `soft`, `candidates` or `weight` (targets.py) that
    count in train rows only; rows without label are left out.  path: where that was read, for sentences.
    recipe: a preset is resolved.  is_kept: its model and logs are wanted; otherwise its predictions alone, and what it
    logged.
    """

    source: str
    seed: int
    training: bytes
    path: str
    recipe: TrainSettings
    is_kept: bool = True
    progress: bool = False  # a bar of its steps

    def __str__(self) -> str:
        return f"the student of source '{self.source}' with seed {self.seed}"


class StudentGroup(NamedTuple):
    """Students of one source and recipe, which an accelerator computes in one pass; elsewhere there is one in each."""

    students: tuple[StudentTask, ...]

    def __str__(self) -> str:
        if len(self.students) == 1:
            return str(self.students[0])
        seeds = ", ".join(str(task.seed) for task in self.students)
        return f"the students of source '{self.students[0].source}' with seeds {seeds}"


class FinishedStudent(NamedTuple):
    """The files of a student by their path, what it logged, for how many steps it trained, and how long all took."""

    files: Mapping[str, bytes]
    steps: int
    seconds: float


MODEL, LOGS = "model", "logs"  # folders among the files
PREDICTIONS = "predictions.parquet"  # id, split, probabilities; of validation and test rows
LOGGED = "logged.json"  # [step, {name: value}], where the model is not kept
