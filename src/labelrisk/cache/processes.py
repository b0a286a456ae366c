"""Which process holds a claim: a lock that the system takes back when the process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


class ProcessLock:
    """This process among those that share a call cache."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.token = secrets.token_hex(8)
        self._path = folder / self.token
        self._lock = os.open(self._path, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Stop being alive."""
        self._path.unlink(missing_ok=True)
        os.close(self._lock)


def alive(folder: Path, token: str) -> bool:
    """Whether the process behind a token still runs."""
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
