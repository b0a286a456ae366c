"""Experiments of DVC as git keeps them: refs below the commit that each began at."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence

from labelrisk.errors import LabelRiskError, nearest, shown

PREFIX = "refs/exps"
HEX = 40  # digits of a commit's name


def commit_of(name: str) -> str:
    """The commit of a revision or an experiment.

    Raises LabelRiskError where there is none.
    """
    known = {exp: commit for of in experiments().values() for commit, exp in of.items()}
    if name in known:
        return known[name]
    if found := _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", absent=""):
        return found.strip()
    if name == "HEAD":
        raise LabelRiskError("this folder has no git commit to compare with; run `git commit` first")
    branches = _git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags").split()
    raise LabelRiskError(f"git knows no revision '{shown(name)}'; {nearest(name, [*branches, *known])}")


def short(name: str) -> str:
    """A name as it fits a column: of a whole commit's the beginning."""
    return name[:7] if re.fullmatch(f"[0-9a-f]{{{HEX}}}", name) else name


def experiments() -> dict[str, dict[str, str]]:
    """By the commit that they began at: the names of experiments by their own commits."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in _git("for-each-ref", "--format=%(refname) %(objectname)", PREFIX).splitlines():
        ref, commit = line.split(" ")
        first, rest, *name = ref.removeprefix(f"{PREFIX}/").split("/")
        if len(first + rest) == HEX and name:  # others are DVC's own
            found[first + rest][commit] = "/".join(name)
    return found


def newest_first(commits: Sequence[str]) -> list[str]:
    """Commits by their date."""
    return _git("rev-list", "--no-walk=sorted", *commits).split() if commits else []


def title_of(commit: str) -> str:
    """A commit as a person knows it: its short name and the first line of its message."""
    return _git("log", "-1", "--format=%h (%s)", commit).strip()


def _git(*words: str, absent: str | None = None) -> str:
    """What git prints; `absent` where it finds nothing."""
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise LabelRiskError("git is not installed, and keeps the experiments; install it") from None
    if done.returncode and absent is not None and not done.stderr:
        return absent
    if done.returncode:
        said = shown(done.stderr.strip().partition("\n")[0].removeprefix("fatal: "), 200)
        raise LabelRiskError(f"git can't tell what there is to compare ({said}); run this in a clone of the project")
    return done.stdout
