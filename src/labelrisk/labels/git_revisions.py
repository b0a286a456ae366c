"""Labels that were paid for at other git revisions, read from the DVC cache or remote: what is known is not asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from labelrisk.cache.location import shared_between_experiments
from labelrisk.errors import LabelRiskError
from labelrisk.labels.dvc_files import DvcFiles

PAY_AGAIN = "LABELRISK_PAY_AGAIN"
NAMED = 3  # revisions that a refusal names; it counts the others
OF_A_HOOK = {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"}  # perhaps of another repository


@dataclass(frozen=True)
class RevisionLabels:
    """A labels file of the first revision that has it: short commit, DVC's md5 of the file, all its columns."""

    revision: str
    hash: str
    table: pa.Table


def revision_labels(
    annotator: str, out: Path, model: str, base_url: str, known: Collection[str]
) -> Iterator[RevisionLabels]:
    """Labels of an annotator at HEAD, MERGE_HEAD, HEAD's parents, local and remote branches; each file once.

    out: the stage's out as declared, relative to the project, which is the current folder; model, base_url: labels
    of others are left out, their calls can't match; known: DVC hashes of files that need no reading.
    Without git, commits, dvc.lock or DVC there is nothing.  LABELRISK_PAY_AGAIN=1 leaves unreadable files out.
    Raises LabelRiskError after the last readable file when others exist but can't be read.
    """
    listed = _listed(annotator, out.as_posix(), model, base_url.rstrip("/"), known)
    if not any((folder / ".dvc").is_dir() for folder in (Path.cwd(), *Path.cwd().parents)):
        return  # only DVC knows where its files are
    files = DvcFiles()
    unreadable: list[str] = []
    for md5, revision in listed.items():
        if (table := files.read(md5)) is None:
            unreadable.append(revision)
        else:
            yield RevisionLabels(revision, md5, table)
    if unreadable and os.environ.get(PAY_AGAIN) != "1":
        more = f" and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
        raise LabelRiskError(
            f"annotators.{annotator}: its labels at {', '.join(unreadable[:NAMED])}{more} exist but can't be read "
            f"({files.reason}); run `dvc pull` (or `dvc fetch --all-commits`) first; "
            f"or set {PAY_AGAIN}=1 to ask again what they hold"
        )


def _listed(annotator: str, out: str, model: str, base_url: str, known: Collection[str]) -> dict[str, str]:
    """The hashes of unknown labels files with the first revision that has each, in the order of the revisions."""
    here, main = Path.cwd(), shared_between_experiments(Path()).absolute()
    # A temporary experiment has its own HEAD, but only the project that it was cloned from has the branches.
    revisions = [*dict.fromkeys(commit for folder in dict.fromkeys((here, main)) for commit in _revisions(folder))]
    if not revisions:
        return {}
    prefix = _git(here, "rev-parse", "--show-prefix").decode().strip()  # "" or, from the repository's root, "study/"
    asked = "".join(f"{commit}:{prefix}dvc.lock\n" for commit in revisions).encode()
    blobs = [line.split()[0].decode() for line in _git(main, "cat-file", "--batch-check", feed=asked).splitlines()]
    locks = _contents(main, [blob for blob in dict.fromkeys(blobs) if ":" not in blob])  # "REV:dvc.lock missing"
    hashes = {blob: _labels_hash(lock, annotator, out, model, base_url) for blob, lock in locks.items()}
    listed: dict[str, str] = {}
    for commit, blob in zip(revisions, blobs, strict=True):
        if (md5 := hashes.get(blob)) and md5 not in known:
            listed.setdefault(md5, commit[:7])
    return listed


def _revisions(folder: Path) -> list[str]:
    """Commits: HEAD, what is being merged into it, its parents, local branches, remote branches, newest first."""
    if not _git(folder, "rev-parse", "--quiet", "--verify", "HEAD", absent=b""):
        return []
    head, *parents = _git(folder, "rev-list", "--max-count=1", "--parents", "HEAD").decode().split()
    merged = folder / _git(folder, "rev-parse", "--git-path", "MERGE_HEAD").decode().rstrip("\n")
    merging = merged.read_text().split() if merged.is_file() else []
    tips = ["for-each-ref", "--sort=-committerdate", "--format=%(objectname)"]
    branches = [_git(folder, *tips, refs).decode().split() for refs in ("refs/heads", "refs/remotes")]
    return [head, *merging, *parents, *branches[0], *branches[1]]


def _git(folder: Path, *arguments: str, feed: bytes = b"", absent: bytes | None = None) -> bytes:
    """What git prints in `folder`; `absent` where there is no git, no repository or nothing to print about.

    Raises LabelRiskError when git fails otherwise, as it does in folders of another user: labels may exist then.
    """
    if absent is not None and shutil.which("git") is None:
        return absent
    environment = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK} | {"LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, input=feed, capture_output=True)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if absent is not None and (not said or "not a git repository" in said or os.environ.get(PAY_AGAIN) == "1"):
        return absent
    raise LabelRiskError(
        f"git can't tell which labels were paid for at other revisions ({said.partition(chr(10))[0]}); "
        f"repair that; or set {PAY_AGAIN}=1 to ask again what they hold"
    )


def _contents(folder: Path, blobs: list[str]) -> dict[str, str]:
    """The texts of blobs."""
    printed = _git(folder, "cat-file", "--batch", feed="".join(f"{blob}\n" for blob in blobs).encode())
    contents, start = dict[str, str](), 0
    for blob in blobs:  # each: "BLOB blob SIZE", newline, SIZE bytes, newline
        end = printed.index(b"\n", start)
        size = int(printed[start:end].split()[2])
        contents[blob] = printed[end + 1 : end + 1 + size].decode(errors="replace")
        start = end + size + 2
    return contents


def _labels_hash(lock: str, annotator: str, out: str, model: str, base_url: str) -> str | None:
    """The hash of the labels file in the text of a dvc.lock, if that model made it."""
    # Only the stage's own lines are parsed: a lock of hundreds of stages takes seconds, and branches are many.
    found = re.search(rf"^  annotate@{re.escape(annotator)}:\s*?\n((?:   .*\n| *\n)*)", lock + "\n", re.MULTILINE)
    try:
        entry: dict[str, Any] = yaml.safe_load(found[1]) if found else {"outs": []}
        for params in (entry.get("params") or {}).values():
            declared = params.get(f"annotators.{annotator}", {"model": model, "base_url": base_url})
            if (declared.get("model"), str(declared.get("base_url")).rstrip("/")) != (model, base_url):
                return None
        return next((str(file["md5"]) for file in entry["outs"] if file["path"] == out and "md5" in file), None)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return None  # a lock that DVC could not read either
