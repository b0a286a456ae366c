"""What the call cache holds about batches: each with its claims until its answers are stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from labelrisk.cache.calls import CallCache
from labelrisk.cache.schema import BATCH_OWNER
from labelrisk.errors import LabelRiskError
from labelrisk.spending.batch_files import BatchFile, batch_folder
from labelrisk.spending.ledger import Ledger


def note_batch(cache: CallCache, token: str, annotator: str, requests: int) -> None:
    """Note a batch that is about to be submitted."""
    cache.execute("INSERT INTO batches VALUES (?, ?, NULL, ?, ?)", (token, annotator, int(time.time()), requests))


def note_batch_id(cache: CallCache, token: str, batch_id: str) -> None:
    """Note what the endpoint calls a batch."""
    cache.execute("UPDATE batches SET batch = ? WHERE token = ?", (batch_id, token))


def open_batches(cache: CallCache) -> list[tuple[str, str]]:
    """Token and annotator of each batch."""
    return list(cache.execute("SELECT token, annotator FROM batches"))


def open_batch(cache: CallCache, token: str) -> tuple[str | None, int] | None:
    """What the endpoint calls a batch, if that is known, and when it was claimed; None when it is not open any more."""
    row: tuple[str | None, int] | None = cache.execute(
        "SELECT batch, submitted FROM batches WHERE token = ?", (token,)
    ).fetchone()
    return row


def claims_of_batch(cache: CallCache, token: str) -> dict[bytes, float]:
    """Key and upper bound of what a batch has yet to bring."""
    return dict(cache.execute("SELECT key, cost FROM claims WHERE owner = ?", (BATCH_OWNER + token,)))


def end_batch(cache: CallCache, token: str) -> bool:
    """Forget a batch if all of its claims are settled; returns whether they are."""
    if claims_of_batch(cache, token):
        return False
    _forget(cache, token)
    return True


def release_batch(cache: CallCache, token: str) -> None:
    """Forget a batch that was never worked on: what it claimed is neither paid nor sent."""
    owner = (BATCH_OWNER + token,)
    cache.execute(
        "UPDATE spent SET requests = requests - c.n FROM "
        "(SELECT annotator, count(*) AS n FROM claims WHERE owner = ? GROUP BY annotator) AS c "
        "WHERE spent.annotator = c.annotator",
        owner,
    )
    cache.execute("DELETE FROM claims WHERE owner = ?", owner)
    _forget(cache, token)


def give_up_batch(cache: CallCache, token: str) -> int:
    """Forget a batch whose answers can't be told apart any more, as if all were paid; returns how many."""
    _forget(cache, token)
    return Ledger(cache).write_off_dead()


def claimed(cache: CallCache, keys: Sequence[bytes]) -> set[bytes]:
    """Those of the calls that a batch or a process that still runs is asking."""
    Ledger(cache).write_off_dead()
    return {key for key in keys if cache.execute("SELECT 1 FROM claims WHERE key = ?", (key,)).fetchone()}


def annotator_of_unfetched_batch(cache: CallCache, key: bytes) -> str | None:
    """The annotator whose batch holds a call while no process fetches its answers, or None."""
    for owner, annotator in cache.execute("SELECT owner, annotator FROM claims WHERE key = ?", (key,)).fetchall():
        token = owner.removeprefix(BATCH_OWNER)
        if token == owner or not _is_free(batch_folder(cache), token):
            continue
        # asked after the lock: who finishes a batch deletes its row first
        if cache.execute("SELECT 1 FROM batches WHERE token = ?", (token,)).fetchone():
            return str(annotator)
    return None


def unfetched_batch_error(name: str, other: str) -> LabelRiskError:
    """The sentence for an annotator that waits for the batch of another one."""
    return LabelRiskError(
        f"annotators.{name} waits for requests in a batch of annotators.{other} that no process fetches; run "
        f"annotators.{other} with mode: batch first: its answers are then found here"
    )


def _forget(cache: CallCache, token: str) -> None:
    cache.execute("DELETE FROM batches WHERE token = ?", (token,))


def _is_free(folder: Path, token: str) -> bool:
    try:
        file = BatchFile.open_if_unlocked(folder, token)
    except FileNotFoundError:
        return True
    if file:
        file.close()
    return file is not None
