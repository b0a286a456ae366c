"""Studies in projects of their own: the code as it is now, texts, a codebook and params.yaml, which DVC runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
OF_OTHERS = ("metrics/", "plots/", "studies/", "dvc.lock", ".ci/")  # what other studies left here


def study_folder(
    folder: Path, texts: pd.DataFrame, codebook: dict[str, Any], params: dict[str, Any], name: str = "texts.csv"
) -> Path:
    """The study's folder; it is made where it is not there yet, whole or not at all."""
    if not folder.is_dir():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(partial, texts, codebook, params, name)
        partial.rename(folder)
    return folder


def run_study(folder: Path, jobs: int | None) -> None:
    """Run what is out of date."""
    words = [sys.executable, "-m", "labelrisk", "repro", *(["--jobs", str(jobs)] if jobs else [])]
    subprocess.run(words, cwd=folder, env=_environment(folder), check=True)


def _write(folder: Path, texts: pd.DataFrame, codebook: dict[str, Any], params: dict[str, Any], name: str) -> None:
    listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT).split("\0")
    for path in listed:
        if path and not path.startswith(OF_OTHERS) and (ROOT / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
    texts.to_csv(folder / name, index=False)
    for path, content in (("codebook.yaml", codebook), ("params.yaml", params)):
        (folder / path).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    _run(["git", "init", "--quiet"], folder)
    _run(["git", "add", "--all"], folder)
    _run(["git", "commit", "--quiet", "--message", "study"], folder)


def _environment(folder: Path) -> dict[str, str]:
    """Where this Python, the study's own code, and an author for git are found."""
    author = {f"GIT_{role}_{what}": f"b@{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    path = f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    return kept | author | {"PATH": path, "PYTHONPATH": str(folder / "src"), "DVC_NO_ANALYTICS": "1"}


def _run(command: list[str], folder: Path) -> str:
    """Run a command and return what it prints; its messages are shown."""
    done = subprocess.run(command, cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout
