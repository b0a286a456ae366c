"""What the files of a corpus are called, and what is said of other files and of columns that they lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from labelrisk.errors import LISTED, LabelRiskError, nearest, shown

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
SEPARATORS = {".csv": ",", ".tsv": "\t"}
SPREADSHEET_SUFFIXES = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # how they begin, whatever they are called


def place_of(key: str) -> str:
    """Where a key stands that names a file: in params.yaml, or, as `--data`, on the command line."""
    return key if key.startswith("-") else f"{key} in params.yaml"


def refuse_other_format(path: Path, key: str) -> None:
    """Raises LabelRiskError for a spreadsheet, and for a file that is not called as a table is."""
    with path.open("rb") as file:
        start = file.read(len(max(SPREADSHEETS, key=len)))
    if path.suffix.lower() in SPREADSHEET_SUFFIXES or start.startswith(SPREADSHEETS):
        raise LabelRiskError(
            f"{path} is a spreadsheet, which is not read; save it as 'CSV UTF-8' and name that file in {key}"
        )
    if path.suffix.lower() not in FORMATS:
        raise LabelRiskError(f"{path} is not a table; {place_of(key)} takes {', '.join(FORMATS)}")


def other_columns(path: Path, column: str, names: Sequence[str]) -> str:
    """What the file has instead, or that other marks separate its columns."""
    names = [name for name in names if name.strip()]
    if not names:
        return "it has no column with a name; correct the file"
    if len(names) == 1 and path.suffix.lower() in SEPARATORS:
        other = Counter(mark for mark in names[0] if mark in ";,\t|").most_common(1)
        if other:
            mark = "a tab" if other[0][0] == "\t" else f"'{other[0][0]}'"
            return f"its fields seem to be separated by {mark}: save it as CSV with commas"
    advice = nearest(column, names)
    listed = ", ".join(shown(name, 30) for name in names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    return advice if advice.startswith("use one of") else f"{advice} (its columns: {listed})"
