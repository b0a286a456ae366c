"""Stored answers packed anew, with the dictionaries of now."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from labelrisk.cache.calls import CallCache
from labelrisk.cache.dictionaries import Dictionaries, named_in
from labelrisk.cache.packing import packed_text, text_of, unpacked

TEXT, RESPONSE, ANNOTATOR = 3, 4, 6  # places in a row of the table calls
Row = tuple[Any, ...]


class Repacker:
    """Packs rows of the table calls anew, within a transaction of the cache; what can't be unpacked stays as it is.

    replaced: dictionaries that are removed.
    """

    def __init__(self, calls: CallCache, replaced: Sequence[int] = ()) -> None:
        self._execute = calls.execute
        self._dictionaries = Dictionaries(calls.execute)
        self._named: set[int | None] = set()
        for checksum in replaced:  # read while it is there: rows are packed with it
            with suppress(ValueError):
                self._dictionaries.content(checksum)
            self._remove(checksum)

    def packed(self, row: Row) -> Row:
        """A row with its text and its response packed anew."""
        text, response, annotator = row[TEXT], row[RESPONSE], str(row[ANNOTATOR] or "")
        with suppress(TypeError, ValueError, zlib.error):
            plain = text_of(text, self._dictionaries)
            text = packed_text(plain, self._dictionaries, annotator, row[0]) if isinstance(plain, str) else text
        with suppress(TypeError, ValueError, zlib.error):
            response = self._dictionaries.packed(unpacked(response, self._dictionaries), "response", annotator, row[0])
        self._named |= {named_in(one) for one in (text, response) if isinstance(one, bytes)}
        return (*row[:TEXT], text, response, *row[RESPONSE + 1 :])

    def remove_unused(self) -> None:
        """Remove the dictionaries that no row names which was packed here."""
        for (checksum,) in self._execute("SELECT checksum FROM dictionaries").fetchall():
            if checksum not in self._named:
                self._remove(checksum)

    def _remove(self, checksum: int) -> None:
        self._execute("DELETE FROM dictionaries WHERE checksum = ?", (checksum,))


def made_of(calls: CallCache, condition: str, values: tuple[object, ...]) -> list[int]:
    """The dictionaries that hold something of the answers that a condition means."""
    query = (
        "SELECT checksum FROM dictionaries WHERE EXISTS (SELECT 1 FROM calls WHERE id BETWEEN first AND last "
        f"AND ({condition}))"
    )
    return [checksum for (checksum,) in calls.execute(query, values)]


def replace_dictionaries(calls: CallCache, checksums: list[int]) -> None:
    """Pack anew what is left of answers that were packed with these dictionaries, and remove these."""
    if not checksums:
        return
    heads = ", ".join(f"x'{checksum:08x}'" for checksum in checksums)
    query = (
        f"SELECT * FROM calls WHERE id > ? AND (substr(text, 3, 4) IN ({heads}) "
        f"OR substr(response, 3, 4) IN ({heads})) ORDER BY id LIMIT 1000"
    )
    repacker, last = Repacker(calls, checksums), 0
    while rows := calls.execute(query, (last,)).fetchall():
        for row in map(repacker.packed, rows):
            calls.execute("UPDATE calls SET text = ?, response = ? WHERE id = ?", (row[TEXT], row[RESPONSE], row[0]))
        last = rows[-1][0]
