"""The call cache: every answer that was paid for, keyed by everything that was sent, outside DVC's outs."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelrisk.errors import LabelRiskError

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key      TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    model    TEXT NOT NULL,
    request  TEXT NOT NULL,
    response TEXT NOT NULL,
    answered TEXT NOT NULL
) WITHOUT ROWID
"""


def call_key(endpoint: str, request: dict[str, Any]) -> str:
    """SHA-256 of the endpoint and the whole request body: model, messages and every parameter."""
    return hashlib.sha256(_canonical({"endpoint": endpoint, "request": request}).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def shared_between_experiments(path: Path) -> Path:
    """The project's own file also for `dvc exp run --temp` and the queue, whose folders DVC deletes afterwards."""
    parts = Path.cwd().parts
    for place in range(len(parts) - 2):
        if parts[place : place + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:place]) / path
    return path


class CallCache:
    """Answers by call key in one SQLite file; an answer is on disk when `store` returns.

    Raises LabelRiskError when the file is no call cache, or one of a newer version; it is never overwritten.
    """

    def __init__(self, path: Path) -> None:
        self.path = path = shared_between_experiments(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise LabelRiskError(
                    f"{path} is a call cache of version {version}, newer than this program's; update it"
                )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(SCHEMA)
            self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except sqlite3.Error as error:
            raise LabelRiskError(
                f"{path} can't be used as call cache ({error}); it may hold paid answers: "
                "move it aside, don't delete it"
            ) from None

    def find(self, key: str) -> dict[str, Any] | None:
        """The stored response to a call, or None."""
        row = self._connection.execute("SELECT response FROM calls WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def store(self, key: str, endpoint: str, request: dict[str, Any], response: dict[str, Any]) -> None:
        """Store an answer; the first answer to a call stays."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = (key, endpoint, request["model"], _canonical(request), _canonical(response), now)
        try:
            self._connection.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?)", values)
        except sqlite3.Error as error:
            raise LabelRiskError(
                f"{self.path} can't store an answer ({error}); free disk space or permissions, then run again"
            ) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
