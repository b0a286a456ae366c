"""train: the students of one label source, one a seed, and their probabilities for validation and test."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from labelrisk.files import written_aside
from labelrisk.params import Settings
from labelrisk.settings.presets import recipe_of
from labelrisk.students.keys import digest_of, student_key
from labelrisk.students.store import Store, link
from labelrisk.students.task import LOGS, MODEL, PREDICTIONS
from labelrisk.students.wanted import Inputs, WantedStudent, train_missing


def run(
    settings: Settings,
    source: str,
    training: Path,
    test: Path,
    labels: Path,
    code: Path,
    store: Path,
    model: Path,
    predictions: Path,
    logs: Path,
    durations: Path,
) -> None:
    """Write folders with each student's model, probabilities (id, split, probabilities) and dvclive logs, by seed.

    training: the source's folder, a file a seed (students/task.py says what it holds).  test: `id, text`, gold isn't
    read.  labels: the class names in order.  code: what code this stage runs.  Students that finished before, in a run
    that was interrupted or with fewer seeds, are taken from `store`.  All three outputs appear together at the end, or
    none does.
    """
    inputs = Inputs(test, labels, code)
    wanted = wanted_students(settings, source, training, inputs, store)
    with Store(store).in_use(), ExitStack() as outputs:
        train_missing(wanted, inputs, settings.engine, durations)
        models, tables, histories = (outputs.enter_context(written_aside(path)) for path in (model, predictions, logs))
        for one in wanted:
            link(one.path(MODEL), models / str(one.seed))
            link(one.path(PREDICTIONS), tables / f"{one.seed}.parquet")
            link(one.path(LOGS), histories / str(one.seed))
    wanted[0].stored.deliver(one.key for one in wanted)


def wanted_students(
    settings: Settings, source: str, training: Path, inputs: Inputs, store: Path
) -> list[WantedStudent]:
    """A student for each seed, of all rows of its file."""
    recipe, stored, shared = recipe_of(settings.train), Store(store).students(source), digest_of(*inputs)
    found = []
    for seed in settings.seeds:
        path = training / f"{seed}.parquet"
        key = student_key(shared, digest_of(path), recipe, seed)
        found.append(WantedStudent(key, stored, source, seed, recipe, path, path.read_bytes, is_kept=True))
    return found
