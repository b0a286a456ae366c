"""`labelrisk repro`: `dvc repro`, with the students of all sources trained side by side."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._dvc import DVC, awaited, environment, run_dvc, told_to_end
from labelrisk.commands._last_words import first_of, heard
from labelrisk.commands.students import check_jobs
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.params import Settings

HELP = "`dvc repro`, with as many students at once as there are cores for"
EXAMPLE = "labelrisk repro --jobs 2"


def arguments(parser: ArgumentParser) -> None:
    """How many students at once."""
    parser.add_argument("--jobs", type=int, help="students at once (default: by cores, memory and train.threads)")


def run(params: Path, jobs: int | None) -> None:
    """Run what is out of date: the label sources, then the students of all of them, then all that is made of these.

    Raises LabelRiskError where a stage fails; what other students have learned is kept.
    """
    from labelrisk.commands._version_file import note_version
    from labelrisk.params import load
    from labelrisk.second_opinions.sheets import absent_sheet

    check_jobs(jobs)
    settings = load(params)
    if sentence := note_version():
        print(sentence, file=sys.stderr)
    with told_to_end(), heard() as said:
        try:
            _run(*DVC, "repro", "filter")
            _check_out(settings, params)
            _run(*_students(jobs), PYTHONPATH=_code())
            _run(*DVC, "repro")
        except LabelRiskError as error:
            # a stage that failed leaves its last outputs; those of other studies are no business of this one
            run_dvc("checkout", "--quiet", "dvc.yaml", stderr=subprocess.DEVNULL)
            # DVC has nothing but a name to say of a file that is not there
            awaited_sheets = (absent_sheet(name, opinion) for name, opinion in settings.second_opinions.items())
            raise LabelRiskError(first_of(said, next(filter(None, awaited_sheets), str(error)))) from None


def _run(*words: str, **variables: str) -> None:
    with awaited(words, env=environment() | variables) as process:
        process.wait()
    if process.returncode:
        named = " ".join(words[2:])  # without `python -m`
        raise LabelRiskError(f"{named} ended with exit code {process.returncode}; see its message above")


def _students(jobs: int | None) -> list[str]:
    """The command that trains those of all stages; it runs the code that stages run, which may be another one."""
    return [sys.executable, "-m", "labelrisk", "students", *([] if jobs is None else ["--jobs", str(jobs)])]


def _code() -> str:
    """Where stages find the code: the project's own first, as in dvc.yaml."""
    own = ["src"] if Path("src/labelrisk").is_dir() else []  # in another repository src holds other code
    return os.pathsep.join([*own, str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")])


def _check_out(settings: Settings, params: Path) -> None:
    """Bring students back that DVC has and that are not in their folders, so that none is trained in their place."""
    from labelrisk.commands._student_stages import student_stages

    stages = student_stages(settings, params)
    if absent := [stage.name for stage in stages if not stage.is_changed and not stage.has_outputs]:
        run_dvc("checkout", "--quiet", *absent, stderr=subprocess.DEVNULL)
