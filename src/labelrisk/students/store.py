"""Finished students by the digest of all that their bytes depend on: outside of DVC's outputs, which are made of them.

A student appears there whole, at the moment it has finished, so that what is killed in the middle loses only those that
were being trained, and a seed more trains no other again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labelrisk.cache.location import shared_between_experiments
from labelrisk.errors import LabelRiskError
from labelrisk.file_digests import sha256_of
from labelrisk.files import make_unseen_folder, read_json, write_json, written_aside
from labelrisk.students.task import FinishedStudent

ALL = "all"  # the rows of students that no curve is made of
NOTE = "student.json"  # beside a student's files: their digests
DELIVERED = "delivered"  # beside the students of a stage: keys of those that became its outputs once
LOCK = "in_use"  # beside all: held while students are trained and linked, for experiments may do so at the same time


class Store:
    """The students of one study, by source and by the number of rows: `<folder>/<study>/<source>/<rows>/<key>/`."""

    def __init__(self, folder: Path) -> None:
        """folder: in one that all studies of a repository share; the study is known by its place beside that.

        Temporary experiments share that of their project, from which they remove nothing.
        """
        self._root = shared_between_experiments(folder)
        self._study = self._root / _place(folder.absolute().parent.parent)
        self._is_own = self._root == folder

    def students(self, source: str, rows: int | None = None) -> StoredStudents:
        """Those of one source, and of so many rows; None for all rows."""
        place = self._study / source / (ALL if rows is None else str(rows))
        return StoredStudents(place, self._root, self._is_own)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let no process remove a student meanwhile; what is out of date then goes another time."""
        make_unseen_folder(self._root)
        with (self._root / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    def prune(self, sources: Collection[str], sizes: Collection[int], of_curves: Collection[str]) -> None:
        """Remove students of sources, and of numbers of rows, that are not declared; of_curves: sources with sizes."""
        if not self._is_own or not self._study.is_dir():
            return
        with _unused(self._root) as is_unused:
            for source in self._study.iterdir() if is_unused else ():
                declared = {ALL, *(map(str, sizes) if source.name in of_curves else ())}
                for rows in source.iterdir():
                    if source.name not in sources or rows.name not in declared:
                        shutil.rmtree(rows)
                if source.name not in sources:
                    shutil.rmtree(source)


class StoredStudents:
    """The students that one stage trains, by their keys."""

    def __init__(self, folder: Path, root: Path, is_own: bool) -> None:
        self._folder, self._root, self._is_own = folder, root, is_own

    def has(self, key: str) -> bool:
        """Whether it has finished."""
        return (self._folder / key / NOTE).is_file()

    def was_delivered(self, key: str) -> bool:
        """Whether it became an output once, so that DVC may have it, also where it is no longer here."""
        return key in self._delivered()

    def is_whole(self, key: str) -> bool:
        """Whether it has finished, and all its files are as they were written."""
        if not self.has(key):
            return False
        try:
            digests: dict[str, str] = read_json(self._folder / key / NOTE)
            return all(sha256_of(self._folder / key / name) == digest for name, digest in digests.items())
        except (LabelRiskError, OSError, AttributeError):  # what is damaged is trained again
            return False

    def keep(self, key: str, student: FinishedStudent) -> None:
        """Put a student there; what was there goes."""
        make_unseen_folder(self._root)
        with written_aside(self._folder / key) as folder:
            for name, content in student.files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            digests = {name: hashlib.sha256(content).hexdigest() for name, content in student.files.items()}
            write_json(digests, folder / NOTE)

    def path(self, key: str, name: str) -> Path:
        """One of its files or folders."""
        return self._folder / key / name

    def deliver(self, keys: Iterable[str]) -> None:
        """Note that these are outputs now, and remove all others."""
        if not self._is_own:
            return
        wanted = set(keys)
        with written_aside(self._folder / DELIVERED) as noted:
            noted.write_text("\n".join(sorted(wanted | self._delivered())) + "\n", encoding="utf-8")
        with _unused(self._root) as is_unused:
            for path in self._folder.iterdir() if is_unused else ():
                if path.is_dir() and path.name not in wanted:
                    shutil.rmtree(path)

    def _delivered(self) -> set[str]:
        noted = self._folder / DELIVERED
        return set(noted.read_text(encoding="utf-8").split()) if noted.is_file() else set()


@contextmanager
def _unused(root: Path) -> Iterator[bool]:
    """Whether nobody has the students there in use, and then nobody will meanwhile."""
    with (root / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def link(source: Path, target: Path) -> None:
    """Let a file or a folder of files be at a second place: by hard links, or as copies where there can be none."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_file)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_file(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that has no links
        shutil.copyfile(source, target)


def _place(beside: Path) -> str:
    """This folder's path from another one, as a name: `+studies+babe`."""
    return "+" + "+".join(Path(os.path.relpath(Path.cwd(), beside)).parts)
