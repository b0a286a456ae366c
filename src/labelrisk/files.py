"""Files that appear whole or not at all, and the few readers and writers that every stage shares."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` for a file or a folder; it replaces `path` on success only.

    The caller creates the file or folder.  On any exception, Ctrl-C included, the temporary is removed and
    `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial{path.suffix}")
    _remove(temporary)
    try:
        yield temporary
        while not _replaced(path, temporary):
            pass
    finally:
        _remove(temporary)


def _replaced(path: Path, temporary: Path) -> bool:
    """Move `temporary` to `path`; False when another process was there at the same moment."""
    before = path.with_name(f".{path.name}.{os.getpid()}.before")
    try:
        if path.is_dir() or (temporary.is_dir() and path.exists()):  # a rename does not replace a folder with files
            path.replace(before)
        temporary.replace(path)
    except OSError as error:
        there_again = error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR)
        if not there_again and not (isinstance(error, FileNotFoundError) and temporary.exists()):
            raise
        return False
    finally:
        _remove(before)
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(content: Any, path: Path) -> None:
    """Write `content` as indented JSON with a final newline."""
    with written_aside(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def canonical_json(value: Any) -> str:
    """JSON in one form, to be hashed or compared: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read_json(path: Path) -> Any:
    """Read a JSON file that an earlier stage wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index."""
    with written_aside(path) as temporary:
        frame.to_parquet(temporary, index=False)
