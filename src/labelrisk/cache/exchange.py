"""Answers of a call cache as lines of JSON, for another machine or another program, and back into a cache."""

from __future__ import annotations

import gzip
import json
import math
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelrisk.cache.calls import CallCache, packed, unpacked
from labelrisk.cache.schema import template_hash
from labelrisk.cache.shared_templates import TemplateFinder
from labelrisk.cache.stored_answers import Row, Rules, fault, reading, stored_rows
from labelrisk.errors import LabelRiskError
from labelrisk.files import canonical_json, written_aside

AT_ONCE = 1000  # answers of a transaction: others may be storing theirs meanwhile
NAMED = 20  # wrong answers of a file that are named; the others are counted
SQLITE, GZIP = b"SQLite format 3\0", b"\x1f\x8b"
FIELDS = {"key", "endpoint", "model", "request", "sample", "response", "answered", "annotator", "cost"}
LARGEST = 2**63  # what SQLite holds is below
NO_EXPORT = "it is no line of an export"
Entry = tuple[str, Row | str]  # where it stands; the answer, or what is wrong with it


def export(path: Path, file: Path, rules: Rules) -> int:
    """Write the answers that the rules mean to a file that must not exist yet; return how many.

    Raises LabelRiskError when it can't be written, when there is nothing to write, and for unreadable answers.
    """
    if file.exists():
        raise LabelRiskError(f"{file} exists; name another file or move it away")
    if not file.name.endswith((".jsonl.gz", ".jsonl")):
        raise LabelRiskError(f"{file} would hold lines of JSON; give a name that ends in .jsonl.gz or .jsonl")
    written = 0
    opener: Any = gzip.open if file.suffix == ".gz" else open
    try:
        with reading(path) as connection, written_aside(file) as temporary:
            with opener(temporary, "wt", encoding="utf-8") as out:
                for row in stored_rows(connection, rules):
                    out.write(_line(row, path))
                    written += 1
            if not written:
                raise LabelRiskError(f"{path} has no such answers; see `labelrisk cache show`")
    except OSError as error:
        raise LabelRiskError(f"{file} can't be written ({error.strerror or error}); nothing was exported") from None
    return written


def _line(row: Row, path: Path) -> str:
    if told := fault(row):
        raise LabelRiskError(f"{path} has a wrong answer (row {row.id}: {told}); run `labelrisk cache verify`")
    whole = json.loads(row.prefix + json.dumps(row.text, ensure_ascii=False)[1:-1] + row.suffix)
    content = {
        "key": row.key.hex(),
        "endpoint": row.endpoint,
        "model": row.model,
        "request": whole["request"],
        "sample": whole.get("sample", 0),
        "response": unpacked(row.response),
        "answered": datetime.fromtimestamp(row.answered, UTC).isoformat(),
        "annotator": row.annotator,
        "cost": row.cost,
    }
    return json.dumps(content) + "\n"  # ASCII: texts hold characters that some programs end a line at


@dataclass
class ImportCounts:
    """What an import did; `wrong` answers were skipped."""

    added: int = 0
    there: int = 0
    wrong: int = 0


def import_file(cache: CallCache, file: Path, counts: ImportCounts) -> None:
    """Store the answers of an export or of another cache that hold what they say; what is wrong is told on stderr.

    Raises LabelRiskError when the file breaks off; what stood before is stored.
    """
    for batch in _batches(_from_cache(file) if _kind(file) == "cache" else _from_lines(file)):
        with cache.transaction():
            for place, row in batch:
                told = row if isinstance(row, str) else fault(row)
                if told:
                    counts.wrong += 1
                    if counts.wrong <= NAMED:
                        print(f"{file}: {place}: {told}; skipped", file=sys.stderr)
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
    if not file.is_file():
        raise LabelRiskError(f"{file} is not there; name exports of call caches or call caches")
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


def _stored(cache: CallCache, row: Row) -> bool:
    """Store an answer unless there is one, which stays."""

    def one(query: str, *values: object) -> Any:
        return next(iter(list(cache.rows(query, values))), None)

    if one("SELECT 1 FROM calls WHERE key = ?", row.key):
        return False
    identity = template_hash(row.prefix, row.suffix)
    frame = one("SELECT id FROM frames WHERE hash = ?", identity) or one(
        "INSERT INTO frames VALUES (NULL, ?, ?, ?, ?, ?) RETURNING id",
        *(identity, row.endpoint, row.model, row.prefix, row.suffix),
    )
    values = (row.key, frame[0], row.text, *row[7:])
    cache.rows("INSERT INTO calls VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    return True


def _from_cache(file: Path) -> Iterator[Entry]:
    with reading(file) as connection:
        for row in stored_rows(connection):
            yield f"row {row.id}", row


def _from_lines(file: Path) -> Iterator[Entry]:
    opener: Any = gzip.open if _kind(file) == "gzip" else open
    sharing = TemplateFinder()
    number = 0
    try:
        with opener(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield f"line {number}", _read(number, line, sharing)
    except (OSError, EOFError, zlib.error) as error:
        raise LabelRiskError(f"{file} breaks off after line {number} ({error}); what stands before is stored") from None


def _read(number: int, line: bytes, sharing: TemplateFinder) -> Row | str:
    """An answer, or what is wrong with its line."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return NO_EXPORT
    try:
        return _row(number, content, sharing)
    except (TypeError, ValueError, OverflowError) as error:
        return f"a value can't be read ({error})"


def _row(number: int, content: Any, sharing: TemplateFinder) -> Row | str:
    """Raises ValueError and the like for values that are none."""
    if not isinstance(content, dict) or FIELDS - content.keys():
        return NO_EXPORT
    request, response, sample, cost = (content[name] for name in ("request", "response", "sample", "cost"))
    endpoint, model, annotator = content["endpoint"], content["model"], content["annotator"]
    if not (isinstance(endpoint, str) and isinstance(model, str) and isinstance(request, dict)):
        return "its endpoint, model or request is none"
    if isinstance(sample, bool) or not isinstance(sample, int) or sample < 0:
        return "its sample is no index"
    if cost is not None and (isinstance(cost, bool) or not 0 <= float(cost) < math.inf):
        return "its cost is no amount"
    if not (annotator is None or isinstance(annotator, str)) or not isinstance(response, dict):
        return "its annotator or its response is none"
    answered = datetime.fromisoformat(content["answered"])
    answered = answered if answered.tzinfo else answered.replace(tzinfo=UTC)
    whole = canonical_json({"endpoint": endpoint, "request": request} | ({"sample": sample} if sample else {}))
    prefix, text, suffix = sharing.parts((endpoint, model, annotator, sample), whole)
    usage = response.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Row(
        id=number,
        key=bytes.fromhex(content["key"]),
        endpoint=endpoint,
        model=model,
        prefix=prefix,
        suffix=suffix,
        text=text,
        response=packed(response),
        answered=int(answered.timestamp()),
        annotator=annotator,
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        cost=None if cost is None else float(cost),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 <= value < LARGEST else None
