"""What the answers of an annotator have in common: dictionaries in the call cache, with which its answers are packed.

A dictionary is the end of some answers as they came, one after the other (RFC 1950 calls it a preset dictionary, and
names it by its checksum in the head of what is packed with it).  Two are enough for a million answers: one of the first
hundred, one of some thousand.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TRAINED_AFTER = (128, 4096)  # answers of a kind that one process has stored
LARGEST = {"text": 2**15, "response": 2**13}  # bytes; zlib looks no further back than 2**15
LEVEL = 6
NAMED = 0x20  # bit of the second byte: a dictionary is named in the next four
IS_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'dictionaries'"  # their table, which files of version 2 lack
Execute = Callable[..., sqlite3.Cursor]


@dataclass
class _Kind:
    """Texts or responses of one annotator: what they are packed with, and the latest of those that came here."""

    packing: Any = None  # of the dictionary, to be copied for each; None without one
    stored: int = 0
    samples: deque[tuple[int, bytes]] = field(default_factory=deque)  # id of the call, and its text or response
    bytes: int = 0


class Dictionaries:
    """The dictionaries of one call cache; what they write belongs inside a transaction of it.

    execute: of a connection to the cache; contents: by checksum, as far as they are known.
    """

    def __init__(self, execute: Execute, contents: dict[int, bytes] | None = None) -> None:
        self._execute = execute
        self._contents = dict(contents or {})
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def packed(self, content: bytes, kind: str, annotator: str, call: int) -> bytes:
        """A text or a response as it is stored; call: its id, by which pruning finds what dictionaries are made of."""
        one = self._kind(kind, annotator)
        if one.stored < TRAINED_AFTER[-1]:
            self._learn(one, content, kind, annotator, call)
        if one.packing is None:
            return zlib.compress(content, LEVEL)
        packing = one.packing.copy()
        return bytes(packing.compress(content) + packing.flush())

    def content(self, checksum: int) -> bytes:
        """A dictionary by its checksum.

        Raises ValueError when the cache has none such.
        """
        if checksum not in self._contents:
            query = "SELECT content FROM dictionaries WHERE checksum = ?"
            row = self._execute(query, (checksum,)).fetchone() if self._execute(IS_THERE).fetchone() else None
            if row is None or not isinstance(row[0], bytes):
                raise ValueError("what it was packed with is missing")
            self._contents[checksum] = row[0]
        return self._contents[checksum]

    def contents(self) -> dict[int, bytes]:
        """All dictionaries by checksum."""
        if self._execute(IS_THERE).fetchone() is None:
            return {}
        rows = self._execute("SELECT checksum, content FROM dictionaries")
        return {checksum: content for checksum, content in rows if isinstance(content, bytes)}

    def forget(self) -> None:
        """Read them anew: those of a transaction that was undone are not there."""
        self._contents.clear()
        self._kinds.clear()

    def _kind(self, kind: str, annotator: str) -> _Kind:
        if (kind, annotator) not in self._kinds:
            query = "SELECT content FROM dictionaries WHERE kind = ? AND annotator = ? ORDER BY last DESC LIMIT 1"
            row = self._execute(query, (kind, annotator)).fetchone()
            self._kinds[kind, annotator] = _Kind(_packing(row[0]) if row else None)
        return self._kinds[kind, annotator]

    def _learn(self, one: _Kind, content: bytes, kind: str, annotator: str, call: int) -> None:
        one.stored += 1
        one.samples.append((call, content))
        one.bytes += len(content)
        while one.bytes - len(one.samples[0][1]) >= LARGEST[kind]:
            one.bytes -= len(one.samples.popleft()[1])
        if one.stored in TRAINED_AFTER and (one.packing is None or one.stored == TRAINED_AFTER[-1]):
            dictionary = b"".join(sample for _, sample in one.samples)[-LARGEST[kind] :]
            calls = [number for number, _ in one.samples]
            values = (zlib.adler32(dictionary), kind, annotator, min(calls), max(calls), dictionary)
            self._execute("INSERT OR IGNORE INTO dictionaries VALUES (?, ?, ?, ?, ?, ?)", values)
            if self.content(values[0]) == dictionary:  # as good as always
                one.packing = _packing(dictionary)
        if one.stored == TRAINED_AFTER[-1]:
            one.samples.clear()


def _packing(dictionary: bytes) -> Any:
    return zlib.compressobj(LEVEL, zdict=dictionary)


def named_in(packed: bytes) -> int | None:
    """The checksum of the dictionary that something was packed with, or None."""
    return int.from_bytes(packed[2:6], "big") if len(packed) > 6 and packed[1] & NAMED else None
