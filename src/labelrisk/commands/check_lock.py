"""`labelrisk check-lock`: whether dvc.lock is that of params.yaml, dvc.yaml, the code and the files, without data."""

from __future__ import annotations

import re
import subprocess
from argparse import ArgumentParser
from pathlib import Path

from labelrisk.errors import LISTED, LabelRiskError, shown

NAME = "check-lock"
HELP = "fail where dvc.lock is out of date; needs no data, runs nothing"
EXAMPLE = "labelrisk check-lock"
# a stage that would run and lacks its inputs fails instead; of several DVC says "stages: 'a', 'b', and 'c'"
WOULD_RUN = re.compile(r"^Running stage '[^']+'|failed to reproduce (?:stages: )?'[^']+'(?:,? (?:and )?'[^']+')*", re.M)
NAME_IN = re.compile(r"'([^']+)'")


def arguments(parser: ArgumentParser) -> None:
    """It has none."""


def run(params: Path) -> None:
    """Ask DVC which stages it would run if all outputs that dvc.lock names were there.

    Raises LabelRiskError where one would run, or DVC can't read the pipeline.
    """
    from labelrisk.commands._dvc import run_dvc

    if not Path("dvc.lock").is_file():
        raise LabelRiskError(
            "dvc.lock is not there: nothing was run or it was not committed; run `labelrisk repro`, commit"
        )
    done = run_dvc(
        "repro", "--dry", "--allow-missing", "--keep-going", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    stages = list(dict.fromkeys(name for said in WOULD_RUN.findall(done.stdout) for name in NAME_IN.findall(said)))
    if stages:
        more = f" and {len(stages) - LISTED} more" if len(stages) > LISTED else ""
        raise LabelRiskError(
            f"dvc.lock is stale: {', '.join(stages[:LISTED])}{more} would run, since params.yaml, dvc.yaml, the code "
            "or a file has changed; run `labelrisk repro` and commit what it writes"
        )
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.startswith("ERROR")] or done.stdout.splitlines()[-1:]
        raise LabelRiskError(f"DVC can't read the pipeline ({shown(' '.join(said), 200)}); repair it")
    print("OK: dvc.lock is that of params.yaml, dvc.yaml, the code and the files")
