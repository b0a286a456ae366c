"""Students that are asked for, and the training of those that are not there yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from labelrisk.engines.contract import Needs
from labelrisk.engines.machine import has_gpu
from labelrisk.files import read_json
from labelrisk.settings.engine import EngineSettings
from labelrisk.settings.train import TrainSettings
from labelrisk.students.store import StoredStudents
from labelrisk.students.task import SharedInputs, StudentGroup, StudentTask

GIB = 2**30
MEMORY = 1.5 * GIB  # of one student that is the embedded model: 1.1 GiB were seen
MEMORY_OF_OTHERS = 4 * GIB  # of roberta-base and its like


class Inputs(NamedTuple):
    """The files that all students of a study share: test rows, labels, and what code the stage runs."""

    test: Path
    labels: Path
    code: Path


class WantedStudent(NamedTuple):
    """One student; stored: where it is or will be; training: its file; content: reads what of that it learns from."""

    key: str
    stored: StoredStudents
    source: str
    seed: int
    recipe: TrainSettings
    training: Path
    content: Callable[[], bytes]
    is_kept: bool

    def path(self, name: str) -> Path:
        """One of its files or folders, once it has finished."""
        return self.stored.path(self.key, name)


def train_missing(
    wanted: Sequence[WantedStudent], inputs: Inputs, engine: EngineSettings, durations: Path, jobs: int | None = None
) -> None:
    """Train those that are not in their store, or damaged there; how long each took is noted in `durations`.

    jobs: students at once, in place of the engine's.
    Raises LabelRiskError where one can't be trained; others that have finished are kept, and none is begun after that.
    """
    missing = [one for one in wanted if not one.stored.is_whole(one.key)]
    if not missing:
        return
    from labelrisk.engines.kinds import opened
    from labelrisk.progress import bar
    from labelrisk.students.durations import note_duration
    from labelrisk.students.one_student import train_group

    shared = SharedInputs(inputs.test.read_bytes(), tuple(read_json(inputs.labels)))
    needs, groups = needs_of(missing[0].recipe, engine), grouped(missing, engine)
    with opened(engine, jobs) as computing, bar(len(missing), "students", "student") as progress:
        for place, students in computing.results(partial(train_group, shared), _Tasks(groups), needs):
            for one, student in zip(groups[place], students, strict=True):
                one.stored.keep(one.key, student)
                note_duration(durations, one.source, one.seed, student.steps, student.seconds)
                progress.update()


def grouped(students: Sequence[WantedStudent], engine: EngineSettings) -> list[tuple[WantedStudent, ...]]:
    """Which are trained in one pass: on an accelerator `train.together` of one source and recipe, elsewhere none.

    On a cluster a task has one where it asks for it, whatever this machine has.
    """
    if not (engine.gpus if engine.kind == "ray" else has_gpu()):
        return [(one,) for one in students]
    found: list[tuple[WantedStudent, ...]] = []
    for (_, recipe, _), some in itertools.groupby(students, lambda one: (one.source, one.recipe, one.is_kept)):
        same = tuple(some)
        found += [same[start : start + recipe.together] for start in range(0, len(same), recipe.together)]
    return found


def needs_of(recipe: TrainSettings, engine: EngineSettings) -> Needs:
    """What a student takes of a machine."""
    memory = MEMORY if recipe.model == "embedded" else MEMORY_OF_OTHERS
    return Needs(cores=recipe.threads, gpus=engine.gpus, memory=memory)


def at_once(recipe: TrainSettings, engine: EngineSettings) -> int:
    """How many train at once on this machine."""
    from labelrisk.engines.local import most_jobs

    return engine.jobs or most_jobs(needs_of(recipe, engine))


class _Tasks(Sequence[StudentGroup]):
    """A task for each group, whose files are read when the task is asked for: hundreds need not be in memory."""

    def __init__(self, groups: Sequence[tuple[WantedStudent, ...]]) -> None:
        self._groups = groups

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, place: int) -> StudentGroup:  # type: ignore[override]  # no slices
        alone = len(self) == 1  # then the bar of its steps is worth more than that of students
        return StudentGroup(tuple(_task(one, progress=alone) for one in self._groups[place]))


def _task(one: WantedStudent, progress: bool) -> StudentTask:
    return StudentTask(
        one.source, one.seed, one.content(), str(one.training), one.recipe, is_kept=one.is_kept, progress=progress
    )
