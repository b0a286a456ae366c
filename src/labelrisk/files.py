"""Files that appear whole or not at all, and the few readers and writers that every stage shares."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelrisk.errors import LabelRiskError, shown

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def named_file(path: Path, advice: str) -> Path:
    """A file that the user names; advice: what to do when there is none.

    Raises LabelRiskError where there is nothing, a folder, a pipe or a device, and for what can't be a path.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise LabelRiskError(f"{shown(path, 300)} is not there; {advice}") from None
    except (OSError, ValueError) as error:  # a name too long, a circle of links, a NUL, no permission
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LabelRiskError(f"{shown(path, 300)} can't be opened ({reason}); {advice}") from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise LabelRiskError(f"{shown(path, 300)} is {kind}, not a file; {advice}")
    return path


DEVICES = Path("/dev")
UNSEEN = "*\n"  # in .gitignore: the folder hides itself


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` for a file or a folder; it replaces `path` on success only.

    The caller creates the file or folder.  On any exception, Ctrl-C included, the temporary is removed and `path` stays
    as it was.  What a killed process left is removed by the next one; .dvcignore hides it until then.
    Raises IsADirectoryError where a file would replace a folder, LabelRiskError where anything would replace a device.
    """
    if path.name in ("", ".."):  # such as '.', which would be replaced with all that is in it
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.absolute().parent == DEVICES or _is_device(path):
        raise LabelRiskError(f"{shown(path, 300)} is a pipe or a device, not a file; name another place")
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial{path.suffix}")
    _remove(temporary)
    try:
        yield temporary
        while not _replaced(path, temporary):
            pass
    finally:
        _remove(temporary)


def _is_device(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder, asked once: others may replace it meanwhile."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _remove_leftovers(path: Path) -> None:
    """Remove what processes that are no more have written aside of `path`."""
    form = re.compile(re.escape(f".{path.name}.") + r"([0-9]+)\.(partial.*|before)")
    for beside in path.parent.iterdir():
        if (found := form.fullmatch(beside.name)) and not _is_alive(int(found[1])):
            _remove(beside)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; no number of a process
        pass
    return True


def _replaced(path: Path, temporary: Path) -> bool:
    """Move `temporary` to `path`; False when another process was there at the same moment."""
    before = path.with_name(f".{path.name}.{os.getpid()}.before")
    if path.is_dir() and not temporary.is_dir():  # it may hold what nobody meant
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
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


def make_unseen_folder(folder: Path) -> None:
    """Make a folder of this machine's own files, where it is not there; git does not see it, whatever it is told."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text(UNSEEN, encoding="utf-8")


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
    """Read a JSON file that an earlier stage wrote.

    Raises LabelRiskError for a damaged one, FileNotFoundError for one that is not there.
    """
    with undamaged(path):
        return json.loads(path.read_text(encoding="utf-8"))


def read_parquet(
    path: Path, columns: Sequence[str] | None = None, optional: Sequence[str] = (), content: bytes | None = None
) -> pa.Table:
    """Read a Parquet file that an earlier stage wrote; columns: those that are needed, in this order.

    optional: columns that are read as well where they are there.  content: the bytes of a file that is elsewhere.
    Raises LabelRiskError for a damaged one, or one without a column; FileNotFoundError for one that is not there.
    """
    import pyarrow.parquet as pq

    if content is None:
        path.stat()  # of what is not there the parser does not say what
    with undamaged(path):
        file = pq.ParquetFile(path if content is None else io.BytesIO(content))
        for column in columns or ():
            if column not in file.schema_arrow.names:
                raise ValueError(f"it has no column '{column}'")
        also = [column for column in optional if column in file.schema_arrow.names]
        table = file.read(columns=None if columns is None else [*columns, *also])
        table.validate(full=True)
    return table


def read_frame(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file as `read_parquet` does, as a frame."""
    frame: pd.DataFrame = read_parquet(path, columns).to_pandas()
    return frame


@contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """Word what parsers say of a file that stages write: only damage or another hand can have changed it so."""
    try:
        yield
    except (ValueError, LookupError, RuntimeError, MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's word, not the parser's
            raise
        reason = shown(" ".join(str(error).split()).rstrip("."), 120)
        raise LabelRiskError(f"{path} is damaged ({reason}); remove it and run `dvc repro`, which makes it") from None


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index."""
    with written_aside(path) as temporary:
        frame.to_parquet(temporary, index=False)
