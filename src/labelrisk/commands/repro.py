"""`labelrisk repro`: `dvc repro`, with several students trained at once."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelrisk.commands._dvc import dvc_process, run_dvc, told_to_end
from labelrisk.commands._last_words import first_of, heard
from labelrisk.encoders.memory_and_cores import cores
from labelrisk.errors import LabelRiskError
from labelrisk.warm_starts import warm_server

if TYPE_CHECKING:
    from labelrisk.settings.train import TrainSettings

HELP = "`dvc repro`, with as many students at once as there are cores for"
EXAMPLE = "labelrisk repro --jobs 2"
STUDENTS = ("train", "curve")  # the stages that train students, one or one a seed; DVC calls each `train@...`
GIB = 2**30
MEMORY = 1.5 * GIB  # of one student that is the embedded model: 1.1 GiB were seen
MEMORY_OF_OTHERS = 4 * GIB  # of roberta-base and its like
CALLS = 3  # of DVC per job: few, since each takes a second or two; not one, so that no job waits long for the others


def arguments(parser: ArgumentParser) -> None:
    """How many students at once."""
    parser.add_argument("--jobs", type=int, help="students at once (default: by cores, memory and train.threads)")


def run(params: Path, jobs: int | None) -> None:
    """Run what is out of date: the label sources, then students side by side, then what is made of them.

    A student's bytes depend on its seed and train.threads alone, so that they are the same one after the other.
    Raises LabelRiskError where a stage fails; what other students have learned is kept.
    """
    from labelrisk.commands._version_file import note_version
    from labelrisk.params import load
    from labelrisk.second_opinions.sheets import absent_sheet

    check_jobs(jobs)
    settings = load(params)
    if sentence := note_version():
        print(sentence, file=sys.stderr)
    recipe = settings.train
    jobs = jobs or most_jobs(recipe)
    with told_to_end(), heard() as said:
        try:
            _run_stages(recipe.threads, jobs)
        except LabelRiskError as error:
            # a stage that failed leaves its last outputs; those of other studies are no business of this one
            run_dvc("checkout", "--quiet", "dvc.yaml", stderr=subprocess.DEVNULL)
            # DVC has nothing but a name to say of a file that is not there
            awaited = (absent_sheet(name, opinion) for name, opinion in settings.second_opinions.items())
            raise LabelRiskError(first_of(said, next(filter(None, awaited), str(error)))) from None


def check_jobs(jobs: int | None) -> None:
    """Raises LabelRiskError for fewer than one student at once."""
    if jobs is not None and jobs < 1:
        raise LabelRiskError(f"--jobs is {jobs}, but at least one student must train; give 1 or more")


def _run_stages(threads: int, jobs: int) -> None:
    _dvc("repro", "filter")
    waiting = [] if jobs == 1 else _changed_students()
    if len(waiting) > 1:
        with warm_server(threads):
            _train(waiting, min(jobs, len(waiting)))
    _dvc("repro")


def most_jobs(recipe: TrainSettings) -> int:
    """Students that the cores and the free memory are enough for; one at a time where there is a GPU."""
    if _has_gpu():
        return 1
    memory = MEMORY if recipe.model == "embedded" else MEMORY_OF_OTHERS
    return max(1, min(cores() // recipe.threads, int(_free_memory() // memory)))


def _has_gpu() -> bool:
    return Path("/dev/nvidia0").exists()


def _free_memory() -> float:
    """Bytes that may be taken without swapping; unknown (no bound) where there is no /proc/meminfo."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), float("inf"))


def _dvc(*words: str) -> None:
    if code := run_dvc(*words).returncode:
        raise LabelRiskError(f"dvc {' '.join(words)} ended with exit code {code}; see its message above")


def _changed_students() -> list[str]:
    """The stages of students that DVC would run, in the order of dvc.yaml."""
    found = run_dvc("status", "--json", *STUDENTS, stdout=subprocess.PIPE)
    if found.returncode:
        raise LabelRiskError("dvc status failed; see its message above")
    return [name for name in json.loads(found.stdout) if name.partition("@")[0] in STUDENTS]


def _train(stages: Sequence[str], jobs: int) -> None:
    """Train all, `jobs` at once; once one has failed, no other is started."""
    from labelrisk.progress import bar

    size = -(-len(stages) // (CALLS * jobs))
    parts = [stages[at : at + size] for at in range(0, len(stages), size)]
    failures: list[str] = []
    with bar(len(stages), f"students, {jobs} at once", "student") as progress, ThreadPoolExecutor(jobs) as pool:

        def train(part: Sequence[str]) -> None:
            if not failures:
                failures.extend(_failure(part, progress.update))

        try:
            list(pool.map(train, parts))
        except KeyboardInterrupt:
            failures.append("")  # no other is started
            raise
    if failures:
        print(failures[0], file=sys.stderr)
        raise LabelRiskError("a student could not be trained; see its message above")


def _failure(stages: Sequence[str], count: Callable[[int], Any]) -> list[str]:
    """Run stages one after the other, count each as it ends; returns what was said where one failed."""
    words = ("--wait-for-lock", "repro", "--single-item", *stages)
    said, begun = [], 0
    with dvc_process(*words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line.startswith(("Running stage '", "Stage '")):
                count(begun > 0)
                begun += 1
    if process.returncode:
        return ["".join(said)]
    count(len(stages) - max(begun - 1, 0))
    return []
