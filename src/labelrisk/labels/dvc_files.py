"""Files that DVC keeps, looked up by their hash in its cache or remote, from inside a running stage."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


class DvcFiles:
    """The DVC cache of the project, and its default remote as long as that answers.

    Files are looked up by hash, not by revision: that spares DVC the reading of each revision's whole dvc.yaml, works
    in a subfolder of the repository, and finds what a stage made that is no longer declared.  It takes no lock.
    """

    def __init__(self) -> None:
        self.reason = "neither in the DVC cache nor in the remote"
        self._remote_answers = True

    @cached_property
    def _repo(self) -> Any:
        from dvc.repo import Repo  # type: ignore[import-untyped]

        repo = Repo()
        if not repo.config["core"].get("remote"):
            self._remote_answers = False
            self.reason = "not in the DVC cache, and no remote is set"
        return repo

    def read(self, md5: str) -> pa.Table | None:
        """The labels file of that hash, whole and unaltered, or None."""
        for content in self._found(md5):
            try:
                return pq.read_table(pa.BufferReader(content))
            except (ValueError, LookupError, RuntimeError, OSError):  # what pyarrow's errors derive from
                self.reason = "no Parquet files"
        return None

    def content(self, md5: str) -> bytes | None:
        """The bytes of the file of that hash, or of the list of a folder's files (`.dir`); None where it is nowhere."""
        return next(self._found(md5), None)

    def _found(self, md5: str) -> Iterator[bytes]:
        """What the cache and the remote hold of that hash, unaltered."""
        for place in ("cache", "remote"):
            if (remote := place == "remote") and not self._remote_answers:
                break
            try:
                with _silent():
                    files = self._repo.cloud.get_remote_odb() if remote else self._repo.cache.local
                    with files.fs.open(files.oid_to_path(md5), "rb") as file:
                        content = file.read()
            except Exception as error:  # of any storage's client; that of HTTP says "not found" when nobody answers
                cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
                if not isinstance(cause, FileNotFoundError):
                    self._remote_answers &= not remote  # its timeouts are waited for once, not at each revision
                    self.reason = (str(cause) or type(cause).__name__).partition("\n")[0]
                continue
            if hashlib.md5(content).hexdigest() == md5.removesuffix(".dir"):  # a linked cache can be written to
                yield content
            else:
                self.reason = f"altered in the DVC {place}"


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the log messages of DVC and of storage clients off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
