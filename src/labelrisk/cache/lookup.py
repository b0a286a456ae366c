"""Many calls looked up at once, beside whoever stores answers meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from labelrisk.cache.calls import CACHE_KILOBYTES, PATIENCE, UNREADABLE, Stored
from labelrisk.cache.dictionaries import Dictionaries
from labelrisk.cache.packing import response_of, unpacked
from labelrisk.cache.schema import by_key

AT_ONCE = 8192  # keys of a query, which SQLite sorts: neighbours in the index are read together
Packed = tuple[bytes, float | None, int | None]  # a response as it is stored, its cost, and when it was given


class CallLookup:
    """Answers of a call cache that is open already, by keys, through a connection of its own that can't write.

    It may be used by several threads, one at a time.
    """

    def __init__(self, path: Path) -> None:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=PATIENCE, check_same_thread=False
        )
        self._connection.execute(f"PRAGMA cache_size=-{CACHE_KILOBYTES}")
        self._by, self._bytes = by_key(self._connection)
        self._dictionaries = Dictionaries(self._connection.execute)

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Packed]:
        """The stored answers by key, not yet unpacked: a response takes ten times the room.

        Raises sqlite3.Error.
        """
        found: dict[bytes, Packed] = {}
        for start in range(0, len(keys), AT_ONCE):
            some = [key[: self._bytes] for key in keys[start : start + AT_ONCE]]
            places = ",".join("?" * len(some))
            query = f"SELECT key, response, cost, answered FROM calls WHERE {self._by} IN ({places})"
            found |= {key: (response, *numbers) for key, response, *numbers in self._connection.execute(query, some)}
        return found

    def unpacked(self, packed: Packed) -> Stored | None:
        """An answer, or None where it can't be read: who looks for it alone is told why."""
        try:
            return Stored(response_of(unpacked(packed[0], self._dictionaries)), *packed[1:])
        except UNREADABLE:
            return None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
