"""Labels that were paid for at other git revisions, read from the DVC cache or remote: what is known is not asked."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from labelrisk.cache.location import shared_project
from labelrisk.errors import LabelRiskError
from labelrisk.labels import git_history
from labelrisk.labels.dvc_files import DvcFiles
from labelrisk.labels.git_history import PAY_AGAIN
from labelrisk.labels.paid_files import LISTED, read_paid_files

NAMED = 3  # revisions that a refusal names; it counts the others


@dataclass(frozen=True)
class Found:
    """Where a labels file is named, a commit or the list of paid ones; needed: it is refused to go on without it."""

    revision: str
    needed: bool


@dataclass(frozen=True)
class RevisionLabels:
    """A labels file of the first revision that has it: short commit, DVC's md5 of the file, all its columns."""

    revision: str
    hash: str
    table: pa.Table


def revision_labels(
    annotator: str, out: Path, model: str, base_url: str, known: Collection[str]
) -> Iterator[RevisionLabels]:
    """Labels of an annotator at HEAD, MERGE_HEAD, HEAD's parents, branches, and earlier commits; each file once.

    out: the stage's out as declared, relative to the project, which is the current folder; model, base_url: labels
    of others are left out, their calls can't match; known: DVC hashes of files that need no reading.
    Those in the list of paid files come last.  Without git, commits, dvc.lock or DVC there is nothing.
    LABELRISK_PAY_AGAIN=1 leaves unreadable files out.
    Raises LabelRiskError after the last readable file when others exist but can't be read, unless they are of an
    earlier commit whose labels were followed by others: these had them at hand.
    """
    listed = _listed(annotator, out.as_posix(), model, base_url.rstrip("/"), known)
    if not any((folder / ".dvc").is_dir() for folder in (Path.cwd(), *Path.cwd().parents)):
        return  # only DVC knows where its files are
    files = DvcFiles()
    unreadable: list[str] = []
    for md5, found in listed.items():
        if (table := files.read(md5)) is not None:
            yield RevisionLabels(found.revision, md5, table)
        elif found.needed:
            unreadable.append(found.revision)
    if unreadable and os.environ.get(PAY_AGAIN) != "1":
        more = f" and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
        raise LabelRiskError(
            f"annotators.{annotator}: its labels at {', '.join(unreadable[:NAMED])}{more} exist but can't be read "
            f"({files.reason}); run `dvc pull` (or `dvc fetch --all-commits`) first; "
            f"or set {PAY_AGAIN}=1 to ask again what they hold"
        )


def _listed(annotator: str, out: str, model: str, base_url: str, known: Collection[str]) -> dict[str, Found]:
    """The hashes of unknown labels files, in the order in which they are to be read."""
    here = Path.cwd()
    main = shared_project(here)
    # A temporary experiment has its own HEAD, but only the project that it was cloned from has the branches.
    of_folder = [git_history.tips(folder) for folder in dict.fromkeys((here, main))]
    tips = [*dict.fromkeys(commit for commits in of_folder for commit in commits)]
    if not tips:
        return {}
    lock = f"{git_history.prefix(here)}dvc.lock"
    history, parents = git_history.touching(main, lock), git_history.parents_of_all(main)
    changed = set(history)
    line = git_history.own_line(of_folder[-1][0], parents)
    line = [line[0], *(commit for commit in line[1:] if commit in changed or len(parents[commit]) > 1)]
    commits = [*tips, *history, *line, *(merged for commit in line for merged in parents.get(commit, ())[1:])]
    blobs = git_history.file_blobs(main, list(dict.fromkeys(commits)), lock)
    texts = git_history.blob_texts(main, list(dict.fromkeys(blobs.values())))
    of_blob = {blob: _labels_hash(text, annotator, out, model, base_url) for blob, text in texts.items()}
    hashes = {commit: of_blob[blob] for commit, blob in blobs.items()}
    listed: dict[str, Found] = {}
    for needed, group in ((True, [*tips, *_not_taken_in(line, parents, hashes)]), (False, history)):
        for commit in group:
            if (md5 := hashes.get(commit)) and md5 not in known:
                listed.setdefault(md5, Found(commit[:7], needed))
    for paid in read_paid_files():  # of a branch that was squashed or rebased, or whose side a merge left out
        if (paid.annotator, paid.model, paid.base_url) == (annotator, model, base_url) and paid.md5 not in known:
            listed.setdefault(paid.md5, Found(LISTED.name, needed=False))
    return listed


def _not_taken_in(line: Sequence[str], parents: git_history.Parents, hashes: Mapping[str, str | None]) -> list[str]:
    """What was merged since the labels last changed, newest first: no run has seen both sides' labels.

    Left out is what the line itself had before, for the run that changed its labels had that.
    """
    own = [hashes.get(commit) for commit in line]
    since = next((place for place, md5 in enumerate(own) if md5 != own[0]), len(own))
    merged = [other for commit in line[:since] for other in parents.get(commit, ())[1:]]
    return [commit for commit in merged if hashes.get(commit) not in own]


def _labels_hash(lock: str, annotator: str, out: str, model: str, base_url: str) -> str | None:
    """The hash of the labels file in the text of a dvc.lock, if that model made it."""
    # Only the stage's own lines are parsed: a lock of hundreds of stages takes seconds, and branches are many.
    found = re.search(
        rf"^  (?:re)?annotate@{re.escape(annotator)}:\s*?\n((?:   .*\n| *\n)*)", lock + "\n", re.MULTILINE
    )
    try:
        entry: dict[str, Any] = yaml.safe_load(found[1]) if found else {"outs": []}
        for params in (entry.get("params") or {}).values():
            declared = params.get(f"annotators.{annotator}") or params.get(f"second_opinions.{annotator}", {}).get(
                "ask"
            )
            declared = declared or {"model": model, "base_url": base_url}
            if (declared.get("model"), str(declared.get("base_url")).rstrip("/")) != (model, base_url):
                return None
        return next((str(file["md5"]) for file in entry["outs"] if file["path"] == out and "md5" in file), None)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return None  # a lock that DVC could not read either
