"""The files of a study at a git revision, or as they lie in its folder; what git lacks is found by DVC's hashes."""

from __future__ import annotations

import json
import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from labelrisk.labels import git_history
from labelrisk.labels.dvc_files import DvcFiles

WORKSPACE = "workspace"
KEPT = "data/"  # what DVC keeps
SHORT = 7  # digits of a commit's name


class Unread(NamedTuple):
    """Files of a revision that exist and could not be read, the reasons, and a command that may help."""

    revision: str
    paths: list[str]
    reasons: list[str]
    fetch: str | None


class Revision:
    """One side of a comparison; files are named relative to the study, which is the current folder.

    name: as a person calls it; commit: None for the files as they lie here.  What exists but can't be read is noted in
    `unread`, a reason by path, and counts as absent.
    """

    def __init__(self, name: str, commit: str | None, files: DvcFiles, scratch: Path) -> None:
        self.name = name
        self.commit = commit
        self.unread: dict[str, str] = {}
        self._files = files
        self._scratch = scratch

    @property
    def title(self) -> str:
        """The name, and of a commit the beginning of its hash."""
        commit = (self.commit or "")[:SHORT]
        return self.name if not commit or self.name.startswith(commit) else f"{self.name} ({commit})"

    def text(self, path: str) -> str | None:
        """A text file that git keeps; None where there is none, or it lies outside the repository."""
        inside = posixpath.normpath(self._prefix + path)
        if posixpath.isabs(path) or inside.startswith("../"):
            return None
        if self.commit is None:
            here = Path(path)
            top = Path(*[".."] * self._prefix.count("/")).resolve()
            if not here.is_file() or not here.resolve().is_relative_to(top):
                return None
            return here.read_text(encoding="utf-8", errors="replace")
        done = git_history.run_git(Path(), "cat-file", "blob", f"{self.commit}:{inside}")
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None

    def mapping(self, path: str) -> dict[str, Any] | None:
        """A JSON or YAML file that holds keys with values; None where there is none."""
        text = self.text(path)
        if text is None:
            return None
        try:
            if path.endswith(".json"):
                content = json.loads(text)
            else:
                content = yaml.load(text.lstrip("\ufeff"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (ValueError, yaml.YAMLError, RecursionError):
            content = None
        if not isinstance(content, dict):
            self.unread[path] = "it holds no keys with values"
            return None
        return content

    def pictures(self, folder: str) -> dict[str, str]:
        """By path the hashes that git gives to the pictures in a folder."""
        if self.commit is None:
            paths = sorted(path.as_posix() for path in Path(folder).glob("*.png"))
            hashes = git_history.run_git(Path(), "hash-object", "--", *paths).stdout.decode().split() if paths else []
            return dict(zip(paths, hashes, strict=False))
        listed = git_history.run_git(Path(), "ls-tree", "-z", self.commit, "--", f"{folder}/").stdout.decode()
        entries = (line.partition("\t") for line in listed.split("\0") if line)
        return {path: about.split()[2] for about, _, path in entries if path.endswith(".png")}

    def hash(self, path: str) -> str | None:
        """DVC's hash of an output, by dvc.lock."""
        return self._outs.get(path)

    def file(self, path: str) -> Path | None:
        """A file that DVC keeps: where it lies, or a copy; None where the revision has none or it can't be read."""
        if self.commit is None and Path(path).is_file():
            return Path(path)
        md5 = self._hash_inside(path)
        if md5 is None or path in self.unread:
            return None
        copy = self._scratch / f"{md5}{Path(path).suffix}"
        if not copy.exists():
            content = self._files.content(md5)
            if content is None:
                self.unread[path] = self._files.reason
                return None
            copy.write_bytes(content)
        return copy

    def outputs_below(self, folder: str) -> dict[str, str]:
        """By path DVC's hashes of the outputs in a folder."""
        return {path: md5 for path, md5 in self._outs.items() if path.startswith(f"{folder}/")}

    def _hash_inside(self, path: str) -> str | None:
        """The hash of an output, or of a file in a folder that is one."""
        if path in self._outs:
            return self._outs[path]
        folder = next((out for out in self._outs if path.startswith(f"{out}/")), None)
        if folder is None:
            return None
        if folder not in self._listings:
            content = self._files.content(self._outs[folder])
            if content is None:
                self.unread[folder] = self._files.reason
            self._listings[folder] = {file["relpath"]: file["md5"] for file in json.loads(content or "[]")}
        return self._listings[folder].get(path.removeprefix(f"{folder}/"))

    @cached_property
    def _prefix(self) -> str:
        return git_history.prefix(Path())

    @cached_property
    def _listings(self) -> dict[str, dict[str, str]]:
        return {}

    @cached_property
    def _outs(self) -> dict[str, str]:
        """By path the hashes of what stages wrote."""
        try:
            stages = (self.mapping("dvc.lock") or {}).get("stages") or {}
            outs = (out for stage in stages.values() for out in stage.get("outs") or ())
            return {str(out["path"]): str(out["md5"]) for out in outs if "md5" in out}
        except (AttributeError, LookupError, TypeError):
            self.unread["dvc.lock"] = "it holds something else than DVC writes"
            return {}


@contextmanager
def revisions_of(sides: Sequence[tuple[str, str | None]]) -> Iterator[list[Revision]]:
    """Revisions, each by its name and commit (None: the files as they lie), that share what was fetched."""
    files = DvcFiles()
    with tempfile.TemporaryDirectory(prefix="labelrisk-") as folder:
        yield [Revision(*side, files, Path(folder)) for side in sides]


def same_file(path: str, before: Revision, after: Revision) -> bool:
    """Whether an output is the same in both, by DVC's hashes: it need not be read then.

    What lies in the workspace may be another file than dvc.lock says, and is read.
    """
    lies = any(side.commit is None and Path(path).exists() for side in (before, after))
    return not lies and before.hash(path) is not None and before.hash(path) == after.hash(path)


def unread_of(revision: Revision) -> Unread | None:
    """What could not be read of a revision; None where all could."""
    if not revision.unread:
        return None
    kept_by_dvc = any(path.startswith(KEPT) for path in revision.unread)
    fetch = "dvc fetch" + ("" if revision.commit is None else " --all-commits")
    reasons = list(dict.fromkeys(revision.unread.values()))
    return Unread(revision.title, sorted(revision.unread), reasons, fetch if kept_by_dvc else None)
