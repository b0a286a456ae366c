"""What the call cache holds about batches: a row for each until its answers are stored, and its claims."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from labelrisk.cache.calls import BATCH_OWNER, CallCache
from labelrisk.errors import LabelRiskError
from labelrisk.spending.batch_files import BatchFile, folder_of


def add_row(cache: CallCache, token: str, annotator: str, requests: int) -> None:
    """Note a batch that is about to be submitted."""
    cache.rows("INSERT INTO batches VALUES (?, ?, NULL, ?, ?)", (token, annotator, int(time.time()), requests))


def name_row(cache: CallCache, token: str, batch: str) -> None:
    """Note what the endpoint calls a batch."""
    cache.rows("UPDATE batches SET batch = ? WHERE token = ?", (batch, token))


def open_rows(cache: CallCache) -> list[tuple[str, str]]:
    """Token and annotator of each batch."""
    return list(cache.rows("SELECT token, annotator FROM batches"))


def row_of(cache: CallCache, token: str) -> tuple[str | None, int] | None:
    """What the endpoint calls a batch, if that is known, and when it was claimed; None when it is not open any more."""
    return next(iter(cache.rows("SELECT batch, submitted FROM batches WHERE token = ?", (token,))), None)


def claims_of(cache: CallCache, token: str) -> dict[bytes, float]:
    """Key and upper bound of what a batch has yet to bring."""
    return dict(cache.rows("SELECT key, cost FROM claims WHERE owner = ?", (BATCH_OWNER + token,)))


def end_row(cache: CallCache, token: str) -> bool:
    """Forget a batch if all of its claims are settled; returns whether they are."""
    if claims_of(cache, token):
        return False
    cache.rows("DELETE FROM batches WHERE token = ?", (token,))
    return True


def release_row(cache: CallCache, token: str) -> None:
    """Forget a batch that was never worked on: what it claimed is neither paid nor sent."""
    owner = (BATCH_OWNER + token,)
    cache.rows(
        "UPDATE spent SET requests = requests - c.n FROM "
        "(SELECT annotator, count(*) AS n FROM claims WHERE owner = ? GROUP BY annotator) AS c "
        "WHERE spent.annotator = c.annotator",
        owner,
    )
    cache.rows("DELETE FROM claims WHERE owner = ?", owner)
    cache.rows("DELETE FROM batches WHERE token = ?", (token,))


def give_up_row(cache: CallCache, token: str) -> int:
    """Forget a batch whose answers can't be told apart any more, as if all were paid; returns how many."""
    cache.rows("DELETE FROM batches WHERE token = ?", (token,))
    return cache.write_off_dead()


def claimed(cache: CallCache, keys: Sequence[bytes]) -> set[bytes]:
    """Those of the calls that a batch or a process that still runs is asking."""
    cache.write_off_dead()
    return {key for key in keys if list(cache.rows("SELECT 1 FROM claims WHERE key = ?", (key,)))}


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
        record = BatchFile.taken(folder, token)
    except FileNotFoundError:
        return True
    if record:
        record.close()
    return record is not None
