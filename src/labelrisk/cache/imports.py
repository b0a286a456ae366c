"""Answers of exports and of other call caches stored in a call cache."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from labelrisk.cache.calls import CallCache
from labelrisk.cache.export_lines import NO_EXPORT, answer_of
from labelrisk.cache.stored_answers import AnswerRow, fault, reading, stored_rows
from labelrisk.cache.template_finder import TemplateFinder
from labelrisk.errors import LabelRiskError
from labelrisk.files import named_file

AT_ONCE = 1000  # answers of a transaction: others may be storing theirs meanwhile
MOST_BYTES = 2**25  # of a line
TOO_LONG = "it is longer than any answer"
NAMED = 20  # wrong answers of a file that are named; the others are counted
SQLITE, GZIP = b"SQLite format 3\0", b"\x1f\x8b"
Entry = tuple[str, AnswerRow | str]  # where it stands; the answer, or what is wrong with it


@dataclass
class ImportCounts:
    """What an import did; `wrong` answers were skipped."""

    added: int = 0
    there: int = 0
    wrong: int = 0


def import_file(cache: CallCache, file: Path, counts: ImportCounts) -> None:
    """Store the answers of an export or of another cache that hold what they say; what is wrong is printed to stderr.

    Raises LabelRiskError when the file breaks off; what stood before is stored.
    """
    for batch in _batches(_from_cache(file) if _kind(file) == "cache" else _from_lines(file)):
        with cache.transaction():
            for place, row in batch:
                reason = row if isinstance(row, str) else fault(row)
                if reason:
                    counts.wrong += 1
                    if counts.wrong <= NAMED:
                        print(f"{file}: {place}: {reason}; skipped", file=sys.stderr)
                elif not isinstance(row, str) and _stored(cache, row):
                    counts.added += 1
                else:
                    counts.there += 1
    if counts.wrong > NAMED:
        print(f"{file}: and {counts.wrong - NAMED:,} more, skipped", file=sys.stderr)


def _batches(source: Iterator[Entry]) -> Iterator[list[Entry]]:
    """AT_ONCE entries at a time, also what was read before the source failed."""
    batch: list[Entry] = []
    try:
        for entry in source:
            batch.append(entry)
            if len(batch) == AT_ONCE:
                yield batch
                batch = []
    except LabelRiskError:
        yield batch
        raise
    yield batch


def check_importable(file: Path) -> None:
    """Raises LabelRiskError when a file is absent or neither an export nor a cache, before anything is stored."""
    if _kind(file) == "cache":
        with reading(file):
            return
    place, first = next(_from_lines(file), ("", "it is empty"))
    if not place or first == NO_EXPORT:
        raise LabelRiskError(f"{file} is no export of a call cache; give what `labelrisk cache export` wrote")


def _kind(file: Path) -> str:
    named_file(file, "name exports of call caches or call caches")
    try:
        with file.open("rb") as content:
            head = content.read(len(SQLITE))
    except OSError as error:
        raise LabelRiskError(f"{file} can't be read ({error.strerror})") from None
    if head == SQLITE:
        return "cache"
    if file.suffix == ".gz" and not head.startswith(GZIP):
        raise LabelRiskError(f"{file} is not compressed by gzip, though its name says so; export it again")
    return "gzip" if head.startswith(GZIP) else "lines"


def _stored(cache: CallCache, row: AnswerRow) -> bool:
    """Store an answer that has no fault, unless there is one, which stays."""
    assert isinstance(row.response, bytes)
    return cache.insert(row.key, row[2:6], row.text, row.response, row[8:])


def _from_cache(file: Path) -> Iterator[Entry]:
    with reading(file) as connection:
        for row in stored_rows(connection):
            yield f"row {row.id}", row


def _lines(content: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file; one that is longer than any answer is empty."""
    while line := content.readline(MOST_BYTES):
        rest = line
        while len(rest) == MOST_BYTES and not rest.endswith(b"\n"):
            rest = content.readline(MOST_BYTES)
        yield line if rest is line else b""


def _from_lines(file: Path) -> Iterator[Entry]:
    opener: Any = gzip.open if _kind(file) == "gzip" else open
    templates = TemplateFinder()
    number = 0
    try:
        with opener(file, "rb") as content:
            for number, line in enumerate(_lines(content), start=1):
                yield f"line {number}", answer_of(number, line, templates) if line else TOO_LONG
    except (OSError, EOFError, zlib.error) as error:
        raise LabelRiskError(f"{file} breaks off after line {number} ({error}); what stands before is stored") from None
