"""Files that are written all or none, and never over one that is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import written_aside

Content = str | Path  # a text, or a file to be copied


def refuse_existing(paths: list[Path]) -> None:
    """Raises LabelRiskError that names the first of them that is there."""
    there = [path for path in paths if os.path.lexists(path)]
    if there:
        more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise LabelRiskError(
            f"{shown(there[0], 300)} is there already{more}, and nothing is overwritten; name another folder, or move "
            "it aside"
        )


def write_new_files(files: Mapping[Path, Content]) -> None:
    """Write all files and the folders that they need; what was written is removed where one can't be.

    Raises LabelRiskError where one is there already.
    """
    refuse_existing(list(files))
    written: list[Path] = []
    folders = [above for path in files for above in path.parents if not above.exists()]
    try:
        for path, content in files.items():
            written.append(path)
            with written_aside(path) as temporary:
                if isinstance(content, Path):
                    shutil.copyfile(content, temporary)
                else:
                    temporary.write_text(content, encoding="utf-8", newline="")
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        for folder in sorted(set(folders), key=lambda one: -len(one.parts)):
            with suppress(OSError):  # it holds what somebody else put there meanwhile
                folder.rmdir()
        raise
