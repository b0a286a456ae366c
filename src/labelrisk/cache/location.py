"""Where the call cache lies."""

from __future__ import annotations

import os
from pathlib import Path

COPIES = (".dvc", "tmp", "exps")  # where `dvc exp run --temp` and the queue work, in copies of the project


def shared_between_experiments(path: Path) -> Path:
    """The project's own file also for `dvc exp run --temp` and the queue, whose folders DVC deletes afterwards.

    path: from the current folder, which may be one below the top of the project; it may lead out of the project, as the
    cache of a study does that shares it with its siblings.
    """
    here = Path.cwd()
    if path.is_absolute() or (found := _copy(here)) is None:
        return path
    copy, project = found
    return Path(os.path.normpath(project / here.relative_to(copy) / path))


def shared_project(folder: Path) -> Path:
    """The top of the project that a folder of a temporary experiment is a copy of; else the folder itself."""
    found = _copy(folder)
    return folder if found is None else found[1]


def _copy(folder: Path) -> tuple[Path, Path] | None:
    """Of a folder in a temporary experiment the top of the copy, and the project that it was copied from."""
    parts = folder.parts
    place = next((place for place in range(len(parts) - 3) if parts[place : place + 3] == COPIES), None)
    if place is None:
        return None
    within = [above for above in (folder, *folder.parents) if len(above.parts) > place + 3]
    copy = next((above for above in within if (above / ".dvc").is_dir()), within[-1])
    return copy, Path(*parts[:place])
