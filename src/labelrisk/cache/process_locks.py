"""Which processes use a call cache: each holds a lock that the system takes back when it dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


class ProcessLock:
    """This process among those that share a call cache; the lock is a file in `folder` whose name is the token."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.token = secrets.token_hex(8)
        self._path = folder / self.token
        self._lock = os.open(self._path, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Give the lock back."""
        self._path.unlink(missing_ok=True)
        os.close(self._lock)


def is_running(folder: Path, token: str) -> bool:
    """Whether the process of a token still runs; the lock file of one that died is removed.

    Raises OSError when that can't be tested, as for a process of another user.
    """
    try:
        lock = os.open(folder / token, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    (folder / token).unlink(missing_ok=True)
    return False


def may_be_running(folder: Path, token: str) -> bool:
    """Whether the process of a token still runs, or can't be tested."""
    try:
        return is_running(folder, token)
    except OSError:
        return True


def remove_files_of_dead(folder: Path, suffix: str, locks: Path) -> None:
    """Remove the files `<token><suffix>` of processes that died; locks: the folder of their locks."""
    for path in folder.glob(f"*{suffix}"):
        if not is_running(locks, path.name.removesuffix(suffix)):
            path.unlink(missing_ok=True)
