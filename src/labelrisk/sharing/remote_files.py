"""Which committed outputs a DVC remote lacks: each file is asked for by its hash, those in folders too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from labelrisk.sharing.committed_outputs import CommittedOutput
from labelrisk.sharing.remote_storage import RemoteStorage

FOLDER = ".dir"  # a hash that ends so is of the list of a folder's files


class Lacking(NamedTuple):
    """An output that the remote does not have whole: how many of its files are missing, of how many.

    Both are None where the remote lacks the list of a folder's files.
    """

    path: str
    missing: int | None
    files: int | None


def lacking(repo: Any, outputs: Sequence[CommittedOutput]) -> list[Lacking]:
    """The outputs that their remotes lack, in the order of their paths.

    repo: dvc.repo.Repo.
    Raises LabelRiskError where no remote is set, or one can't be asked.
    """
    found: list[Lacking] = []
    for (remote, hash_name), group in groupby(sorted(outputs, key=_place), key=_place):
        found += _lacking(RemoteStorage(repo, remote or None, hash_name), list(group))
    return sorted(found, key=lambda one: one.path)


def _place(output: CommittedOutput) -> tuple[str, str]:
    return output.remote or "", output.hash_name


def _lacking(storage: RemoteStorage, outputs: Sequence[CommittedOutput]) -> Iterator[Lacking]:
    there = storage.sizes(list(dict.fromkeys(output.hash for output in outputs)))
    lists = {hash_: storage.listed(hash_) for hash_ in there if hash_.endswith(FOLDER)}
    inside = storage.sizes(sorted({one for files in lists.values() for one in files or ()}))
    for output in outputs:
        if not output.hash.endswith(FOLDER):
            if output.hash not in there or _is_cut(output.size, there[output.hash]):
                yield Lacking(output.path, 1, 1)
        elif (files := lists.get(output.hash)) is None:
            yield Lacking(output.path, None, None)
        elif missing := sum(one not in inside for one in files):
            yield Lacking(output.path, missing, len(files))


def _is_cut(noted: int | None, found: int | None) -> bool:
    """Whether a file is of another size than dvc.lock notes, as after an upload that broke off."""
    return noted is not None and found is not None and noted != found
