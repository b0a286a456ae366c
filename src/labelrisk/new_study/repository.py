"""The git repository that a new study lies in, and what its studies share there."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from labelrisk.errors import LabelRiskError, shown
from labelrisk.labels.git_history import run_git


@dataclass(frozen=True)
class Repository:
    """top: of git; shared: the folder whose .labelrisk all studies use, where DVC is set up or the top.

    A study is a DVC repository of its own (`dvc init --subdir`), so that DVC's tables are about it alone; the caches
    are one.
    """

    top: Path
    shared: Path

    @property
    def local(self) -> Path:
        """The folder of the call cache."""
        return self.shared / ".labelrisk"

    @property
    def config(self) -> Path:
        """The settings of DVC whose remotes studies take, which need not be there."""
        return self.shared / ".dvc" / "config"

    @property
    def cache(self) -> Path:
        """The folder of the DVC cache."""
        return self.shared / ".dvc" / "cache" if self.config.parent.is_dir() else self.local / "cache"


def repository_of(folder: Path) -> Repository:
    """The repository that a folder is in, which need not be there yet; folder: resolved.

    Raises LabelRiskError where there is none, where git can't tell, and where git ignores the folder.
    """
    existing = next(above for above in (folder, *folder.parents) if above.is_dir())
    found = run_git(existing, "rev-parse", "--show-toplevel")
    if found.returncode:
        said = found.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        if "not a git repository" in said:
            there = "" if existing == Path.cwd() else f" -C {shlex.quote(shown(existing, 300))}"
            raise LabelRiskError(
                f"{shown(folder, 300)} is in no git repository, which a study needs (DVC, and labels that were paid "
                f"for, go by it); run `git{there} init` first"
            )
        raise LabelRiskError(f"git can't tell the repository of {shown(existing, 300)} ({shown(said, 200)}); see to it")
    top = Path(os.fsdecode(found.stdout.rstrip(b"\n"))).resolve()
    above = [one for one in folder.parents if one.is_relative_to(top)]
    if run_git(top, "check-ignore", "--quiet", str(folder / "dvc.yaml")).returncode == 0:
        raise LabelRiskError(
            f"{shown(folder, 300)} is ignored by git (`git check-ignore -v {shlex.quote(shown(folder, 300))}` says by "
            "which line); name another folder"
        )
    return Repository(top, next((one for one in above if (one / ".dvc").is_dir()), top))


def path_from(folder: Path, path: Path) -> str:
    """A path as files in `folder` name it, with slashes; both resolved."""
    return Path(os.path.relpath(path, folder)).as_posix()
