"""The files that an annotator of kind `import` reads: one, or all of a folder; and which row of the corpus is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from labelrisk.corpora.delimited import read_fields
from labelrisk.corpora.formats import FORMATS
from labelrisk.corpora.rows import content_id
from labelrisk.corpora.spreadsheets import original_id, original_text
from labelrisk.corpora.tables import Table, read_table
from labelrisk.errors import LabelRiskError, shown

SHEET = {"id", "sampling_probability"}  # columns by which a file that `labelrisk sample` wrote is known
SEPARATORS = ",;\t"  # spreadsheet programs write the separator of their country


class ImportFile(NamedTuple):
    """A file's named columns, and the id of the row that each of its rows is about."""

    table: Table
    ids: list[str]


def read_import_files(reads: Path, text: str, columns: Sequence[str], key: str) -> list[ImportFile]:
    """The file `reads`, or all tables of the folder, by name.

    A sheet of `labelrisk sample` is joined on its ids: its texts are made safe for spreadsheet programs.  Any other
    file is joined on its column `text`.  key: where params.yaml names `reads`.
    Raises LabelRiskError for a file that can't be read, or lacks a column, and for a folder without any.
    """
    if not reads.is_dir():
        return [_read(reads, text, columns, key)]
    paths = sorted(path for path in reads.iterdir() if path.suffix in FORMATS and not path.name.startswith("."))
    if not paths:
        raise LabelRiskError(f"{reads}, which {key} names, has no {', '.join(FORMATS)}; put a file of labels into it")
    return [_read(path, text, columns, key) for path in paths]


def _read(path: Path, text: str, columns: Sequence[str], key: str) -> ImportFile:
    if not _is_sheet(path):
        table = read_table(path, [text, *columns], key)
        return ImportFile(table, [content_id(one) if isinstance(one, str) else "" for one in table.frame[text]])
    table = read_table(path, ["id", *columns], key, separators=SEPARATORS)
    ids = [original_id(one) if isinstance(one, str) else "" for one in table.frame["id"]]
    for column in columns:
        cells = table.frame[column]
        table.frame[column] = [(original_text(one) or None) if isinstance(one, str) else None for one in cells]
    return ImportFile(table, ids)


def _is_sheet(path: Path) -> bool:
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    header = read_fields(path, SEPARATORS, wanted=(), most=0).header if path.stat().st_size else []
    return SHEET.issubset(name.strip() for name in header)


def people(names: Sequence[object]) -> list[str | None]:
    """Names of coders, with a number in place of an e-mail: names land in files that are shared; None for no text."""
    given = [str(name).strip() if isinstance(name, str) else None for name in names]
    mails = sorted({name for name in given if name and "@" in name})
    number = {mail: f"person{place}" for place, mail in enumerate(mails, 1)}
    return [number.get(name, name) if name else None for name in given]


def seconds(table: Table, column: str | None) -> list[int | None]:
    """Times as seconds since 1970, None where there are none; those without a zone are in UTC.

    Raises LabelRiskError that names the row with what is no time.
    """
    if column is None:
        return [None] * len(table.numbers)
    found: list[int | None] = []
    for row, cell in enumerate(table.frame[column]):
        if not isinstance(cell, str) or not cell.strip():
            found.append(None)
            continue
        try:
            when = datetime.fromisoformat(cell.strip())
        except ValueError:
            raise LabelRiskError(
                f"{table.where(row)}: the column '{column}' holds '{shown(cell)}', which is no time; write it like "
                "2026-01-31T12:00:00Z"
            ) from None
        found.append(int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()))
    return found
