"""Git: whether there is a repository, how dvc.lock is merged there, and what is not committed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from labelrisk.doctor.findings import Finding

SECONDS = 10.0
RECORDED = ("params.yaml", "dvc.yaml", "dvc.lock")  # what says how numbers were made
DRIVER = "merge.ours.driver"


def git_findings(folder: Path) -> list[Finding]:
    """What git knows of a study's folder."""
    if shutil.which("git") is None:
        return [
            Finding(
                "fault", "git", "not installed, and DVC's experiments and labelrisk's revisions need it; install it"
            )
        ]
    if _git(folder, "rev-parse", "--show-toplevel") is None:
        return [
            Finding("look", "git", "this folder is in no git repository; run `git init` where the study is to live")
        ]
    commit = _git(folder, "log", "-1", "--format=%h")
    branch = _git(folder, "branch", "--show-current")
    what = f"{branch or 'no branch'} at {commit}" if commit else f"{branch or 'no branch'}, without a commit"
    return [Finding("ok", "git", what), *_driver(folder), *_uncommitted(folder)]


def _driver(folder: Path) -> list[Finding]:
    """How dvc.lock, which conflicts in every merge, is merged."""
    if not (folder / "dvc.yaml").exists():
        return []
    asks = (_git(folder, "check-attr", "merge", "--", "dvc.lock") or "").endswith(": ours")
    if asks and _git(folder, "config", "--get", DRIVER):
        return [Finding("ok", "merges", "`ours` of dvc.lock is set; after one run `labelrisk repro`")]
    if asks:
        says = f"the driver `ours` of .gitattributes is not set in this clone; run `git config {DRIVER} true`"
        return [Finding("look", "merges", says)]
    says = "dvc.lock will conflict in every merge; write `dvc.lock merge=ours` into .gitattributes"
    return [Finding("look", "merges", f"{says} and run `git config {DRIVER} true`")]


def _uncommitted(folder: Path) -> list[Finding]:
    there = [name for name in RECORDED if (folder / name).exists()]
    said = _git(folder, "status", "--porcelain", "--", *there) if there else ""
    changed = [line[3:].rsplit("/", 1)[-1] for line in (said or "").splitlines()]
    if not changed:
        return [Finding("ok", "commits", f"{', '.join(there)}: as committed")] if there else []
    says = f"not committed: {', '.join(changed)}; run `git commit`"
    return [Finding("look", "commits", says)]


def _git(folder: Path, *words: str) -> str | None:
    """What git prints; None where it fails."""
    environment = os.environ | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=SECONDS
    )
    return done.stdout.strip("\n") if done.returncode == 0 else None
