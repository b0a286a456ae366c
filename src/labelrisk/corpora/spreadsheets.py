"""Cells of CSV files that spreadsheet programs open: untrusted text must not become a formula, nor an id a number."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from labelrisk.files import written_aside

APOSTROPHE = "'"  # what spreadsheet programs themselves put before a text that is no formula
# At the start of a cell, and where a program that splits at tabs, line breaks or semicolons would start one.
FORMULA = re.compile(r"(^\s*|[;\t\r\n]\s*)([=+\-@\uff0b\uff0d\uff1d\uff20])|^(?=[\t\r\n\0])")
ESCAPED = re.compile(rf"(^\s*|[;\t\r\n]\s*){APOSTROPHE}(?=[=+\-@\uff0b\uff0d\uff1d\uff20])|^{APOSTROPHE}(?=[\t\r\n\0])")
NUMBER = re.compile(r"[0-9]+(e[0-9]+)?")  # as 16 hexadecimal digits may be; programs keep 15 digits of a number


def safe_text(text: str) -> str:
    """A text that no spreadsheet program takes for a formula: an apostrophe before = + - @ at the start of a cell.

    Also before a leading tab or line break, and inside a text after a semicolon, a tab or a line break, where a
    program with other separators would begin a cell.  OWASP, "CSV Injection".  The text is for the eye only; rows
    are joined on `id`, and the original is in the prepared rows.
    """
    return FORMULA.sub(lambda found: (found[1] or "") + APOSTROPHE + (found[2] or ""), text)


def text_before(cell: str) -> str:
    """A text as it was before safe_text; of one that had such an apostrophe of its own, without it."""
    return ESCAPED.sub(lambda found: found[1] or "", cell)


def safe_id(name: str) -> str:
    """An id that stays a text: `1234567890123456` would come back as 1.23457E+15."""
    return APOSTROPHE + name if NUMBER.fullmatch(name) else safe_text(name)


def original_text(cell: str) -> str:
    """A label as it was before safe_text, without white space around it."""
    return re.sub(rf"^{APOSTROPHE}(?=[=+\-@\uff0b\uff0d\uff1d\uff20])", "", cell.strip()).strip()


def original_id(cell: str) -> str:
    """An id as it was before safe_id, without white space around it."""
    return cell.strip().removeprefix(APOSTROPHE).strip()


def write_cells(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV that spreadsheet programs open safely: ids and texts as above, a byte order mark as Excel needs it.

    frame: column `id`; every other column of texts is taken as untrusted.
    """
    safe = frame.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            convert = safe_id if column == "id" else safe_text
            safe[column] = [convert(cell) if isinstance(cell, str) else "" for cell in safe[column]]
    with written_aside(path) as temporary:
        safe.to_csv(temporary, index=False, encoding="utf-8-sig")
