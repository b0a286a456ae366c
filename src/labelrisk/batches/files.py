"""What is kept here of a batch until all of its answers are stored: its requests, in a file that one process locks."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from labelrisk.cache.calls import BATCH_OWNER, CallCache
from labelrisk.cache.frames import canonical, stored_frame
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.endpoints.purse import Call

ENDING = ".jsonl"
LEFT_BEHIND = 3600.0  # seconds after which a file that belongs to no batch is one that a killed process left


class Record:
    """The requests of one batch, one on each line, whose SHA-256 is its call key.  Who holds its lock reads the batch.

    Raises LabelRiskError when it can't be written.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self._places: dict[bytes, int] | None = None

    @classmethod
    def written(cls, folder: Path, token: str, calls: Sequence[Call]) -> Record:
        """A new record, locked and on disk."""
        path = folder / f"{token}{ENDING}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("w+b")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for call in calls:
                file.write(_whole(call).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise LabelRiskError(f"{path} can't be written ({error}); free disk space, then run again") from None
        return cls(path, file)

    @classmethod
    def taken(cls, folder: Path, token: str) -> Record | None:
        """The record of an earlier process, locked, or None when another process holds it.

        Raises FileNotFoundError.
        """
        path = folder / f"{token}{ENDING}"
        file = path.open("r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return cls(path, file)

    def endpoint(self) -> str:
        """Where its requests go."""
        self._file.seek(0)
        return str(json.loads(self._file.readline())["endpoint"])

    def call(self, key: bytes) -> Call | None:
        """The call with that key, with all of it as its frame, for where text stood in it is not known any more."""
        from labelrisk.endpoints.purse import Call

        if self._places is None:
            self._places, place = {}, 0
            self._file.seek(0)
            for line in self._file:
                self._places[hashlib.sha256(line.rstrip(b"\n")).digest()] = place
                place += len(line)
        if key not in self._places:
            return None
        self._file.seek(self._places[key])
        whole = self._file.readline().rstrip(b"\n").decode()
        content = json.loads(whole)
        return Call(key, stored_frame(content["endpoint"], content["request"]["model"], whole, ""), "")

    def touch(self) -> None:
        """Note the time: from now on there may be a batch at the endpoint."""
        os.utime(self.path)

    def age(self) -> float:
        """Seconds since it was written or touched."""
        return time.time() - self.path.stat().st_mtime

    def remove(self) -> None:
        """All answers are stored, or will never come."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        self._file.close()


def upload_of(calls: Sequence[Call], folder: Path, url: str) -> IO[bytes]:
    """The file that the endpoint gets, which nobody else sees."""
    file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed by whoever sends it
    try:
        for call in calls:
            line = {"custom_id": call.key.hex(), "method": "POST", "url": url, "body": call.request()}
            file.write(canonical(line).encode() + b"\n")
    except OSError as error:
        file.close()
        raise LabelRiskError(f"{folder} can't be written to ({error}); free disk space, then run again") from None
    return file


def remove_left_behind(folder: Path, known: set[str]) -> None:
    """Remove records of processes that were killed before they claimed anything; known: tokens of batches."""
    for path in folder.glob(f"*{ENDING}"):
        if path.stem not in known and time.time() - path.stat().st_ctime > LEFT_BEHIND:
            path.unlink(missing_ok=True)


def folder_of(cache: CallCache) -> Path:
    """Where the records lie."""
    return cache.path.parent / "batches"


def abandoned(cache: CallCache, key: bytes) -> str | None:
    """The annotator whose batch holds a call while no process fetches its answers, or None."""
    for owner, annotator in list(cache.rows("SELECT owner, annotator FROM claims WHERE key = ?", (key,))):
        token = owner.removeprefix(BATCH_OWNER)
        if token == owner or not _is_free(folder_of(cache), token):
            continue
        # asked after the lock: who finishes a batch deletes its row first
        if list(cache.rows("SELECT 1 FROM batches WHERE token = ?", (token,))):
            return str(annotator)
    return None


def abandonment(name: str, other: str) -> LabelRiskError:
    """The sentence about it."""
    return LabelRiskError(
        f"annotators.{name} waits for requests in a batch of annotators.{other} that no process fetches; run "
        f"annotators.{other} with mode: batch first: its answers are then found here"
    )


def _is_free(folder: Path, token: str) -> bool:
    try:
        record = Record.taken(folder, token)
    except FileNotFoundError:
        return True
    if record:
        record.close()
    return record is not None


def _whole(call: Call) -> str:
    return f"{call.frame.prefix}{canonical(call.text)[1:-1]}{call.frame.suffix}"
