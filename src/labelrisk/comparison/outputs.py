"""Files that appear together: JSON, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from labelrisk.corpora.spreadsheets import safe_text
from labelrisk.files import write_json, write_parquet, written_aside

DECIMALS = 4  # of a number in a CSV file
LESS_THAN = "\uff1c"  # wide: `dvc plots show` writes texts into a script as they are, which </script> would end
Picture = Callable[[Path], None]  # draws a PNG file at the path
WriteRows = Callable[[Path], None]  # writes at the path rows that are too many to be held
Output = Mapping[str, Any] | pd.DataFrame | Picture | WriteRows  # JSON, a table, a picture, many rows


def write_outputs(outputs: Mapping[Path, Output]) -> None:
    """Write all files aside, then move them to their paths: where one can't be written, none appears.

    A table is written as Parquet or CSV, by its path; numbers in CSV have four decimals, a '<' of a text is wide, and
    a text that spreadsheet programs would take for a formula has an apostrophe before it.
    """
    with ExitStack() as files:
        for path, output in outputs.items():
            _write(output, files.enter_context(written_aside(path)))


def _write(output: Output, path: Path) -> None:
    if isinstance(output, Mapping):
        write_json(output, path)
    elif not isinstance(output, pd.DataFrame):
        output(path)
    elif path.suffix == ".parquet":
        write_parquet(output, path)
    else:
        text = _safe(output.round(DECIMALS)).to_csv(index=False, lineterminator="\n")
        path.write_text(text.replace("<", LESS_THAN), encoding="utf-8", newline="")


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    """The same table, in which no text of the user's, of a corpus or a model is a formula."""
    safe = table.copy()
    for name, column in table.items():
        if not pd.api.types.is_numeric_dtype(column):
            texts = {cell: safe_text(cell) for cell in column.unique() if isinstance(cell, str)}  # few of many rows
            cells = [texts[cell] if isinstance(cell, str) else cell for cell in column]
            safe[name] = pd.Series(cells, table.index, dtype=object)
    return safe
