"""`labelrisk students`: all students that are not here yet, of all sources and curves, several at once."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import add_durations, add_prepared, local

HELP = "train all students that are declared and not here yet, several at once; stages take them as they are"
EXAMPLE = "labelrisk students --jobs 2"


def arguments(parser: ArgumentParser) -> None:
    """How many students at once, and where all is."""
    parser.add_argument("--jobs", type=int, help="students at once (default: by cores, memory and train.threads)")
    parser.add_argument("--training", type=Path, default=Path("data/training"), help="folder of the label sources")
    add_prepared(parser)
    parser.add_argument("--code", type=Path, default=Path("data/code"), help="folder that says what code stages run")
    parser.add_argument("--store", type=Path, default=local("students"), help="folder of finished students")
    add_durations(parser)


def run(
    params: Path, jobs: int | None, training: Path, prepared: Path, code: Path, store: Path, durations: Path
) -> None:
    """Train those of stages that DVC would run, unless they became outputs once: then DVC may still have them.

    Raises LabelRiskError where one can't be trained; what others have learned is kept.
    """
    from labelrisk.commands._student_stages import student_stages
    from labelrisk.params import load
    from labelrisk.stages import curve, train
    from labelrisk.students.store import Store
    from labelrisk.students.wanted import Inputs, WantedStudent, train_missing

    check_jobs(jobs)
    settings = load(params)
    Store(store).prune(settings.sources, settings.curve.sizes, settings.curve.sources)
    shared = prepared / "test.parquet", prepared / "labels.json"
    wanted: list[WantedStudent] = []
    for stage in student_stages(settings, params):
        if not stage.is_changed and stage.has_outputs:
            continue
        inputs = Inputs(*shared, code / stage.kind)
        if stage.rows is None:
            wanted += train.wanted_students(settings, stage.source, training / stage.source, inputs, store)
        else:
            wanted += curve.wanted_students(settings, stage.rows, stage.source, training / stage.source, inputs, store)
    missing = [one for one in wanted if not one.stored.was_delivered(one.key)]
    with Store(store).in_use():
        train_missing(missing, Inputs(*shared, code / "train"), settings.engine, durations, jobs)


def check_jobs(jobs: int | None) -> None:
    """Raises LabelRiskError for fewer than one student at once."""
    from labelrisk.errors import LabelRiskError

    if jobs is not None and jobs < 1:
        raise LabelRiskError(f"--jobs is {jobs}, but at least one student must train; give 1 or more")
