"""The commits of a git repository whose dvc.lock may name labels, and the texts of these locks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from labelrisk.errors import LabelRiskError

PAY_AGAIN = "LABELRISK_PAY_AGAIN"
OF_A_HOOK = {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"}  # perhaps of another repository
Parents = Mapping[str, Sequence[str]]


def tips(folder: Path) -> list[str]:
    """Commits: HEAD, what is being merged into it, its parents, local branches, remote branches, newest first."""
    if not git(folder, "rev-parse", "--quiet", "--verify", "HEAD", absent=b""):
        return []
    head, *parents = git(folder, "rev-list", "--max-count=1", "--parents", "HEAD").decode().split()
    merged = folder / git(folder, "rev-parse", "--git-path", "MERGE_HEAD").decode().rstrip("\n")
    merging = merged.read_text().split() if merged.is_file() else []
    refs = ["for-each-ref", "--sort=-committerdate", "--format=%(objectname)"]
    branches = [git(folder, *refs, kind).decode().split() for kind in ("refs/heads", "refs/remotes")]
    return [head, *merging, *parents, *branches[0], *branches[1]]


def parents_of_all(folder: Path) -> dict[str, list[str]]:
    """The parents of every commit that a branch, a tag, an experiment or HEAD leads to."""
    lines = git(folder, "rev-list", "--parents", "--all", "HEAD").decode().splitlines()
    return {commit: parents for commit, *parents in map(str.split, lines)}


def touching(folder: Path, path: str) -> list[str]:
    """Of those the commits that changed a file, newest first, those of merged branches as well; path: from the root."""
    asked = ["rev-list", "--full-history", "--all", "HEAD", "--", f":(top,literal){path}"]
    return git(folder, *asked).decode().split()


def prefix(folder: Path) -> str:
    """Of a folder in its repository: empty, or, from the root, `study/`."""
    return git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n")


def file_blobs(folder: Path, commits: Sequence[str], path: str) -> dict[str, str]:
    """By commit the blob of a file, where there is one."""
    asked = "".join(f"{commit}:{path}\n" for commit in commits).encode()
    lines = git(folder, "cat-file", "--batch-check", feed=asked).decode().splitlines()
    blobs = [line.split()[0] for line in lines]
    return {commit: blob for commit, blob in zip(commits, blobs, strict=True) if ":" not in blob}  # "REV:path missing"


def blob_texts(folder: Path, blobs: Sequence[str]) -> dict[str, str]:
    """The texts of blobs."""
    printed = git(folder, "cat-file", "--batch", feed="".join(f"{blob}\n" for blob in blobs).encode())
    contents, start = dict[str, str](), 0
    for blob in blobs:  # each: "BLOB blob SIZE", newline, SIZE bytes, newline
        end = printed.index(b"\n", start)
        size = int(printed[start:end].split()[2])
        contents[blob] = printed[end + 1 : end + 1 + size].decode(errors="replace")
        start = end + size + 2
    return contents


def own_line(commit: str, parents: Parents) -> list[str]:
    """A commit, its first parent, that one's first parent, and so on."""
    line = [commit]
    while of_last := parents.get(line[-1]):
        line.append(of_last[0])
    return line


def git(folder: Path, *arguments: str, feed: bytes = b"", absent: bytes | None = None) -> bytes:
    """What git prints in `folder`; `absent` where there is no git, no repository or nothing to print about.

    Raises LabelRiskError when git fails otherwise, as it does in folders of another user: labels may exist then.
    """
    if absent is not None and shutil.which("git") is None:
        return absent
    done = run_git(folder, *arguments, feed=feed)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if absent is not None and (not said or "not a git repository" in said or os.environ.get(PAY_AGAIN) == "1"):
        return absent
    raise LabelRiskError(
        f"git can't tell which labels were paid for at other revisions ({said.partition(chr(10))[0]}); "
        f"repair that; or set {PAY_AGAIN}=1 to ask again what they hold"
    )


def run_git(folder: Path, *arguments: str, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git in `folder`, in English and without what a hook has set for another repository."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK} | {"LC_ALL": "C"}
    return subprocess.run(["git", *arguments], cwd=folder, env=environment, input=feed, capture_output=True)
