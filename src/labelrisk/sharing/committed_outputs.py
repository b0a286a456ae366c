"""What a git revision's dvc.lock and .dvc files name, as far as `dvc push` sends it; read without the local cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from labelrisk.errors import LabelRiskError, shown


class CommittedOutput(NamedTuple):
    """An output that others are to find: its path in the repository, hash, and which remote holds it.

    hash: ends in `.dir` for a folder; size: bytes of a file, None of a folder or where it is not noted;
    remote: None for the default one.
    """

    path: str
    hash: str
    size: int | None
    remote: str | None
    hash_name: str = "md5"


def committed_outputs(repo: Any, revision: str) -> list[CommittedOutput]:
    """The outputs of a revision that DVC caches and dvc.yaml lets it push, in the order of their paths; none where it
    does not hold the study yet.

    Those of the pipelines in the current folder and below, and the files of `dvc add` that these read: another study of
    the repository is looked at from its own folder.  repo: dvc.repo.Repo.
    Raises LabelRiskError for what is no revision, and for a dvc.yaml that DVC can't read.
    """
    from dvc.exceptions import DvcException, NotDvcRepoError  # type: ignore[import-untyped]
    from dvc.scm import RevError  # type: ignore[import-untyped]

    inside = Path.cwd().resolve().relative_to(Path(repo.root_dir).resolve()).as_posix()
    here = "/" if inside == "." else f"/{inside}/"
    try:
        with repo.switch(revision):
            return sorted(set(_outputs(repo, here)), key=lambda output: output.path)
    except RevError:
        raise LabelRiskError(
            f"git knows no revision '{shown(revision)}'; name a commit, a branch or a tag (in a shallow clone "
            "`git fetch` it first)"
        ) from None
    except NotDvcRepoError:
        return []
    except DvcException as error:
        raise LabelRiskError(f"DVC can't read the pipeline of {shown(revision)}: {_reason(error)}; repair it") from None


def _outputs(repo: Any, here: str) -> Iterator[CommittedOutput]:
    stages = [stage for stage in repo.index.stages if f"/{stage.path_in_repo}".startswith(here)]
    read = {dep.fs_path for stage in stages for dep in stage.deps}
    for out in repo.index.outs:
        if out.stage not in stages and not (out.stage.is_data_source and out.fs_path in read):
            continue
        if out.use_cache and out.can_push and out.hash_info and not out.stage.is_repo_import:
            path = repo.fs.relpath(out.fs_path, repo.root_dir)
            size = None if out.hash_info.isdir else out.meta.size
            yield CommittedOutput(path, out.hash_info.value, size, out.remote, out.hash_name)


@contextmanager
def repository() -> Iterator[Any]:
    """DVC's repository of the current folder.

    Raises LabelRiskError where there is none, or git has no commit.
    """
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo  # type: ignore[import-untyped]

    try:
        repo = Repo()
    except NotDvcRepoError:
        raise LabelRiskError("this folder is in no DVC repository; run from a study's folder") from None
    with repo:
        yield repo


def _reason(error: BaseException) -> str:
    return shown(" ".join(str(error).split()).rstrip("."), 200)
