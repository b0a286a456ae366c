"""Where the studies of a repository are: folders with a params.yaml and the dvc.yaml of labelrisk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from labelrisk.errors import LabelRiskError, shown

PARAMS, PIPELINE = "params.yaml", "dvc.yaml"
STAGES = {"prepare", "annotate", "filter", "train", "evaluate"}  # of every labelrisk study
TOOL = "labelrisk"  # what the commands of its dvc.yaml call
# what holds no studies: outputs, environments, and what DVC, git and others keep
SKIPPED = {"data", "models", "classifiers", "explanations", "metrics", "plots", "node_modules", "__pycache__"}


def repository(folder: Path) -> Path:
    """The git repository that a folder is in, else the outermost of DVC, since each study is one; or the folder itself
    where it is in none.
    """
    above = (folder, *folder.parents)
    of_dvc = [one for one in above if (one / ".dvc").is_dir()]
    return next((one for one in above if (one / ".git").exists()), of_dvc[-1] if of_dvc else folder)


def study_folders(folders: Sequence[Path]) -> list[Path]:
    """All studies in and below the folders, each once, by the alphabet; of a repository inside another one nothing.

    Raises LabelRiskError for a folder that is not there, or holds no study.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            raise LabelRiskError(f"{shown(folder, 300)} is not a folder; name a study's folder, or one above several")
        below = list(_below(folder.resolve()))
        if not below:
            raise LabelRiskError(
                f"{shown(folder, 300)} holds no study (a {PARAMS} beside a {PIPELINE} of labelrisk); "
                "name another folder, or make one with `labelrisk init`"
            )
        found |= dict.fromkeys(below)
    return sorted(found)


def _below(top: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(top):
        here = Path(place)
        if here != top and ".git" in folders:
            folders.clear()
            continue
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in SKIPPED and not (here / name / "pyvenv.cfg").exists()
        ]
        if PARAMS in files and PIPELINE in files and is_pipeline(here / PIPELINE):
            yield here


def is_pipeline(path: Path) -> bool:
    """Whether a dvc.yaml has the stages of a labelrisk study; what is no YAML has none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if TOOL not in text:
            return False
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return False
    stages = content.get("stages") if isinstance(content, dict) else None
    return isinstance(stages, dict) and stages.keys() >= STAGES


def name_of(folder: Path, top: Path) -> str:
    """A study's name: its path within the repository; '.' is the repository itself."""
    return folder.relative_to(top).as_posix() if folder.is_relative_to(top) else folder.as_posix()
