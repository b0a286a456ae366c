"""The caches: answers that were paid for, and what DVC keeps of outputs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from labelrisk.doctor.findings import Finding, size

LINKS = ["reflink", "hardlink", "symlink"]
COPY = "copy"
LARGE = 5e9  # bytes of a cache that stands twice on the disk


def call_cache(path: Path) -> list[Finding]:
    """Answers and size of the call cache.

    Raises LabelRiskError for a damaged one, or one of a newer version.
    """
    from labelrisk.cache.stored_answers import reading

    if not path.exists():
        return [Finding("ok", "call cache", f"no answers yet, in {path}")]
    with reading(path) as connection:
        (answers,) = connection.execute("SELECT count(*) FROM calls").fetchone()
    files = [path.with_name(path.name + more) for more in ("", "-wal", "-shm")]
    taken = sum(file.stat().st_size for file in files if file.exists())
    return [Finding("ok", "call cache", f"{answers:,} answers, {size(taken)} in {path}")]


def dvc_cache(repo: Any) -> list[Finding]:
    """Size of the DVC cache, and how outputs are linked to it.

    repo: dvc.repo.Repo.
    """
    place = Path(repo.cache.local.path)
    if not place.is_dir():
        return [Finding("ok", "DVC cache", f"empty, in {_short(place)}")]
    taken = _taken(place)
    link = _link(repo)
    says = f"{size(taken)} in {_short(place)}, outputs are {link}s"
    if link == COPY:
        says = f"{size(taken)} in {_short(place)}, outputs are copies"
    if link == COPY and taken > LARGE:
        more = "`dvc config cache.type hardlink,symlink` and `dvc checkout --relink` save that space"
        return [Finding("look", "DVC cache", f"{says}; {more}")]
    return [Finding("ok", "DVC cache", says)]


def _link(repo: Any) -> str:
    """The first of the configured links that this disk can make; one is tried in .dvc/tmp."""
    from dvc.fs import generic  # type: ignore[import-untyped]

    cache = repo.cache.local
    wanted = [link for link in cache.cache_types if link in LINKS]
    beside = os.path.join(repo.tmp_dir, "doctor")  # noqa: PTH118  what DVC's file systems take
    possible = generic.test_links(wanted, cache.fs, cache.path, repo.fs, beside) if wanted else []
    return possible[0] if possible else COPY


def _taken(folder: Path) -> int:
    """Bytes of all files below a folder; what goes meanwhile counts for nothing."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
