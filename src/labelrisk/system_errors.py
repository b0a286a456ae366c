"""What the system and the libraries below say when they can't go on, as one sentence."""

from __future__ import annotations

import errno
import re
import sqlite3
import traceback

from labelrisk.errors import shown

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
OPEN_FILES = (errno.EMFILE, errno.ENFILE)
OF_RUST = re.compile(r"\(os error ([0-9]+)\)")  # how libraries in Rust name the system's errors
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "can't start new thread")
AGAIN = "and run again; what was done is kept"


def sentence_of(error: Exception) -> str | None:
    """What was found, where, and what to do; None for an error that is no one's but ours."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
        return f"there is not enough memory; close other programs, or make the batches or caps smaller, {AGAIN}"
    if isinstance(error, FileNotFoundError) and error.errno is None:  # of pyarrow
        return _of_system(errno.ENOENT, "", shown(error, 300), error)
    if isinstance(error, OSError) and error.errno is not None:
        return _of_system(error.errno, error.strerror or str(error), _path(error), error)
    if found := OF_RUST.search(str(error)):
        return _of_system(int(found[1]), " ".join(str(error).split()), "", error)
    if isinstance(error, UnicodeEncodeError):
        return _of_encoding(error)
    if isinstance(error, ValueError) and "embedded null" in str(error):
        return "a path holds a NUL character; correct it in params.yaml or on the command line"
    if isinstance(error, ImportError):
        return _of_package(error)
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
        return f"SQLite can't use its file ({shown(error, 200)}); `labelrisk cache verify` says what is wrong with it"
    if isinstance(error, RecursionError) and _raised_in(error, "json", "yaml"):
        return "a file is nested too deeply to be read; replace it by a plain one"
    if type(error).__module__.startswith(("pyarrow", "safetensors")):
        reason = shown(" ".join(str(error).split()), 200)
        return f"a file is damaged ({reason}); remove it and run `dvc repro`, which makes it"
    return None


def _of_system(number: int, reason: str, path: str, error: Exception) -> str | None:
    what = path or "a file"
    if number == errno.ENOENT:
        if _raised_in(error, "subprocess"):
            return f"the program {what} is not installed; install it {AGAIN}"
        return f"{path or shown(error, 300)} is not there; run `dvc repro`, which makes it"
    if number in FULL:
        return f"{what} can't be written, since the disk or a quota is full ({reason}); make space {AGAIN}"
    if number in FORBIDDEN:
        return f"{what} may not be read or written ({reason}); change its permissions or name another place {AGAIN}"
    if number in OPEN_FILES:
        return f"too many files are open ({reason}); raise the bound (`ulimit -n 4096`) {AGAIN}"
    if number == errno.ENOMEM:
        return f"there is not enough memory ({reason}); close other programs {AGAIN}"
    if number in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.ENAMETOOLONG):
        return f"{what} can't be used as a path here ({reason}); move what is there aside, or name another place"
    return f"{what} can't be used ({reason}); see to it {AGAIN}"


def _path(error: OSError) -> str:
    return " and ".join(shown(path, 300) for path in (error.filename, error.filename2) if path is not None)


def _of_encoding(error: UnicodeEncodeError) -> str:
    bad = shown(error.object[error.start : error.end], 40)
    if error.encoding.lower().replace("-", "") == "utf8":
        return f"a text or path holds half a character ({bad}), which no file can hold; correct it at its source"
    return (
        f"this system's encoding, {error.encoding}, has no '{bad}', which a path or text holds; "
        "set LC_ALL=C.UTF-8 and run again"
    )


def _of_package(error: ImportError) -> str | None:
    package = (error.name or "").partition(".")[0]
    if package == "labelrisk" or not (isinstance(error, ModuleNotFoundError) or str(error.path).endswith(".so")):
        return None
    what = f"the package {shown(package)} can't be loaded ({shown(error, 200)})"
    return f"{what}; install labelrisk again (`make setup` in a checkout)"


def _raised_in(error: Exception, *packages: str) -> bool:
    """Whether a package's own code raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and any(package in frames[-1].filename for package in packages)
