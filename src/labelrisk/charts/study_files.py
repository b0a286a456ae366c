"""The files of a study as rows: a file that is not there has none."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from labelrisk.corpora.spreadsheets import text_before
from labelrisk.files import read_json, undamaged

Row = dict[str, Any]
BOOLEANS = {"True": True, "False": False}
WIDE = "\uff1c"  # how the files write '<', which a page that escapes its texts needs not


def rows_of(path: Path, texts: Collection[str]) -> list[Row]:
    """The rows of a CSV file that `evaluate`, `ensemble` or `explain` wrote; `texts`: the columns that are no numbers.

    An empty number is None.  Raises LabelRiskError for a file that is damaged.
    """
    if not path.is_file():
        return []
    with undamaged(path), path.open(encoding="utf-8", newline="") as file:
        try:
            return [{name: _value(cell, name in texts) for name, cell in row.items()} for row in csv.DictReader(file)]
        except csv.Error as error:
            raise ValueError(str(error)) from None


def _value(cell: str | None, is_text: bool) -> Any:
    if cell is None:
        raise ValueError("a row is cut short")
    if is_text:
        return text_before(cell).replace(WIDE, "<")
    return BOOLEANS[cell] if cell in BOOLEANS else float(cell) if cell else None


def json_of(path: Path) -> dict[str, Any]:
    """A JSON file of a study; empty where it is not there."""
    return dict(read_json(path)) if path.is_file() else {}
