"""A call cache made smaller: all answers packed anew, whatever version stored them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labelrisk.cache.calls import CallCache
from labelrisk.cache.pruning import refuse_others
from labelrisk.cache.repacking import Repacker
from labelrisk.cache.schema import CALLS, CALLS_BY_KEY
from labelrisk.errors import LabelRiskError

ROOM = 2.0  # of the file's size: the answers once more, first in SQLite's log, then in the file
AT_ONCE = 1000


def compact(path: Path, done: Callable[[int], object]) -> None:
    """Pack all answers anew in one transaction, then make the file smaller; done: called with how many are packed.

    However it ends, every answer is there: before the end of the transaction as it was, after it packed.
    Raises LabelRiskError while another process uses the cache, and where the disk has too little room.
    """
    calls = CallCache(path)
    try:
        _refuse_too_little_room(path)
        with calls.readable(), calls.transaction():
            refuse_others(calls, "compact it")
            _pack_anew(calls, done)
        _give_room_back(calls, path)
    except (sqlite3.Error, OSError) as error:
        raise LabelRiskError(
            f"{path} can't be made smaller ({error}); every answer is there as it was: free disk space, then run again"
        ) from None
    finally:
        calls.close()


def _give_room_back(calls: CallCache, path: Path) -> None:
    """SQLite makes the smaller file in its folder of temporary files, which may be on another disk."""
    try:
        calls.execute("VACUUM")
    except sqlite3.Error as error:
        raise LabelRiskError(
            f"{path} is packed anew, but is as large as before ({error}): set SQLITE_TMPDIR to a folder of a disk with "
            "room for it, and run again"
        ) from None


def _refuse_too_little_room(path: Path) -> None:
    needed, free = ROOM * path.stat().st_size, shutil.disk_usage(path.parent).free
    if needed > free:
        raise LabelRiskError(
            f"{path} needs {needed / 1e9:,.1f} GB beside it to be made smaller, and its disk has {free / 1e9:,.1f}; "
            "free some: nothing was changed"
        )


def _pack_anew(calls: CallCache, done: Callable[[int], object]) -> None:
    calls.execute("DROP INDEX IF EXISTS calls_by_key")
    calls.execute("ALTER TABLE calls RENAME TO calls_before")
    calls.execute(CALLS)
    repacker = Repacker(calls)
    for rows in _batches(calls):
        calls.executemany(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [repacker.packed(row) for row in rows]
        )
        done(len(rows))
    calls.execute("DROP TABLE calls_before")
    calls.execute(CALLS_BY_KEY)
    repacker.remove_unused()


def _batches(calls: CallCache) -> Iterator[list[tuple[Any, ...]]]:
    rows = calls.execute("SELECT * FROM calls_before ORDER BY id")
    while batch := rows.fetchmany(AT_ONCE):
        yield batch
