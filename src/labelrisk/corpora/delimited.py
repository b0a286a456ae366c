"""CSV and TSV, read strictly: as many fields in every row as in the header, and the line where each row begins."""

from __future__ import annotations

import codecs
import csv
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from labelrisk.errors import LISTED, LabelRiskError, shown, such_rows

ROWS_AT_ONCE = 1000
ROWS_OF_PART = 16_000
UNICODE = "save it as UTF-8, which spreadsheet programs call 'CSV UTF-8'"
LINE_BREAK = re.compile(r"\r\n|\r|\n")
NO_UNICODE = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as surrogateescape reads them

Row = tuple[int, list[str]]  # the line where it begins, and its fields


class Fields(NamedTuple):
    """Names of the columns, the fields of each (none of those that were not asked for), and the line of each row."""

    header: list[str]
    columns: list[list[str]]
    lines: list[int]


def read_fields(path: Path, separators: str, wanted: Sequence[str] | None = None, most: int | None = None) -> Fields:
    """Read a file whose first line that is not blank is the header; other blank lines are left out.

    separators: what may stand between fields; the header tells which.  wanted: names of columns, None for all.
    most: rows after which it stops, None for all.
    Raises LabelRiskError that names the line: for what is not UTF-8, a quote that is not closed or not the end of its
    field, and a row with more or fewer fields than the header.
    """
    parts = list(field_parts(path, separators, wanted, most))
    columns = [list(chain.from_iterable(of)) for of in zip(*(part.columns for part in parts), strict=True)]
    return Fields(parts[0].header, columns, list(chain.from_iterable(part.lines for part in parts)))


def field_parts(
    path: Path, separators: str, wanted: Sequence[str] | None = None, most: int | None = None
) -> Iterator[Fields]:
    """What read_fields gives, some ten thousand rows at a time, of which the last may be none; raises as it does."""
    csv.field_size_limit(sys.maxsize)  # a text may be long; the module's limit is a global one
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = _separator(file, separators)
            reader = csv.reader(file, delimiter=separator, strict=True)
            yield from _parts(path, _chunks(path, reader), separator, wanted, most)
    except UnicodeDecodeError:
        where = _where_not_unicode(path, separators)
        raise LabelRiskError(f"{path} is not UTF-8 ({where}); {UNICODE}") from None


def stream_fields(path: Path, separators: str) -> Iterator[tuple[list[str], list[Row]]]:
    """The header with some rows at a time; blank lines are left out.  A header without rows comes alone.

    Raises LabelRiskError as read_fields does; of rows with other numbers of fields it counts those that it has met.
    """
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = _separator(file, separators)
            header: list[str] | None = None
            for rows in _chunks(path, csv.reader(file, delimiter=separator, strict=True)):
                if header is None and rows:
                    header, rows = _header(path, rows[0]), rows[1:]
                if header is None:
                    continue
                if odd := [(line, len(row)) for line, row in rows if len(row) != len(header)]:
                    raise LabelRiskError(_odd_rows(path, header, separator, odd))
                yield header, rows
    except UnicodeDecodeError:
        where = _where_not_unicode(path, separators)
        raise LabelRiskError(f"{path} is not UTF-8 ({where}); {UNICODE}") from None
    if header is None:
        raise _empty(path)


def _separator(file: Any, separators: str) -> str:
    header = next((line for line in file if line.strip()), "")
    file.seek(0)
    return max(separators, key=header.count)


def _chunks(path: Path, reader: Any) -> Iterator[list[Row]]:
    """The rows that are not blank, some at a time."""
    while True:
        line = reader.line_num + 1
        try:
            rows = list(islice(reader, ROWS_AT_ONCE))
        except csv.Error as error:
            reason = "a quote is not closed" if "end of data" in str(error) else str(error)
            raise LabelRiskError(
                f"{path} can't be read as {path.suffix[1:]} ({reason}: line {reader.line_num}, or a few lines above); "
                "correct the quotes"
            ) from None
        if not rows:
            return
        chunk, each_has_one = [], reader.line_num + 1 - line == len(rows)
        for row in rows:
            if len(row) > 1 or (row and row[0].strip()):
                chunk.append((line, row))
            line += 1 if each_has_one else 1 + sum(len(LINE_BREAK.findall(field)) for field in row)
        yield chunk


def _parts(
    path: Path, chunks: Iterator[list[Row]], separator: str, wanted: Sequence[str] | None, most: int | None
) -> Iterator[Fields]:
    first = next((chunk for chunk in chunks if chunk), None)
    if first is None:
        raise _empty(path)
    header = _header(path, first[0])
    kept = [place for place, name in enumerate(header) if wanted is None or name in wanted]
    part, read = Fields(header, [[] for _ in header], []), 0
    odd: list[tuple[int, int]] = []
    for chunk in chain([first[1:]], chunks):
        rows = chunk if most is None else chunk[: most - read]
        read += len(rows)
        odd += [(line, len(row)) for line, row in rows if len(row) != len(header)]
        if not odd:
            part.lines.extend(line for line, _ in rows)
            for place in kept:
                part.columns[place].extend([row[place] for _, row in rows])
        if most is not None and (odd or read >= most):
            break
        if len(part.lines) >= ROWS_OF_PART and not odd:
            yield part
            part = Fields(header, [[] for _ in header], [])
    if odd:  # how many there are is known at the end only
        raise LabelRiskError(_odd_rows(path, header, separator, odd))
    yield part


def _header(path: Path, first: Row) -> list[str]:
    if any("\0" in name for name in first[1]):
        raise LabelRiskError(f"{path} is not UTF-8 (it is UTF-16, or no text); {UNICODE}")
    return first[1]


def _empty(path: Path) -> LabelRiskError:
    return LabelRiskError(f"{path} can't be read as {path.suffix[1:]} (the file is empty); correct the file")


def _odd_rows(path: Path, header: list[str], separator: str, odd: list[tuple[int, int]]) -> str:
    names = ", ".join(shown(name, 30) for name in header[:LISTED]) + (", ..." if len(header) > LISTED else "")
    (line, fields), others = odd[0], ", ".join(f"line {line}" for line, _ in odd[1:3])
    mark = "tab" if separator == "\t" else f"'{separator}'"
    if len(header) == 1 and (other := next((one for one in ";\t|" if one in header[0] and one != separator), None)):
        named = "a tab" if other == "\t" else f"'{other}'"
        return f"{path}: its fields seem to be separated by {named}: save it as CSV with commas"
    return (
        f"{path}, line {line}: the row has {fields} fields, but the header has {len(header)}: {names} "
        f"{such_rows(len(odd), f', also {others}' if others else '')}; put quotes around texts that hold a "
        f"{mark}, and take a {mark} too many from the ends of lines"
    )


def _where_not_unicode(path: Path, separators: str) -> str:
    """The line and the column of the first bytes that are not UTF-8."""
    with path.open("rb") as raw:
        if raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "it is UTF-16"
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file, delimiter=_separator(file, separators))
        header = next((row for row in rows if row), [])
        if any(map(NO_UNICODE.search, header)):
            return "the header"
        line = rows.line_num + 1
        for row in rows:
            for place, field in enumerate(row):
                if NO_UNICODE.search(field):
                    of = f", column '{shown(header[place])}'" if place < len(header) else ""
                    return f"line {line}{of}"
            line = rows.line_num + 1
    return "its end"
