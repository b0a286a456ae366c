"""The folder of explanations, read back: their sentences, and their tables as they are shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from labelrisk.comparison.outputs import LESS_THAN
from labelrisk.comparison.table import Table
from labelrisk.corpora.spreadsheets import text_before
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_json

LARGE = 100  # numbers from here on are shown without decimals
BOUNDS = ("low", "high")


class Told(NamedTuple):
    """An explanation: its sentences, its main table (None where it has none), and the paths of its other files."""

    name: str
    says: Sequence[str]
    table: Path | None
    other_tables: Sequence[Path]
    pictures: Sequence[Path]


def read_explanations(folder: Path) -> dict[str, Told]:
    """All explanations of a folder, by name, in the order of the alphabet; other JSON files are not looked at.

    Raises LabelRiskError where there is none, and for a damaged file.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    contents = {path.stem: read_json(path) for path in files if path.suffix == ".json"}
    says = {name: of["says"] for name, of in contents.items() if isinstance(of, dict) and "says" in of}
    if not says:
        raise LabelRiskError(f"{folder} holds no explanations; run `labelrisk repro` first")
    owners = {path: _owner(path, says) for path in files}
    return {
        name: Told(
            name,
            [str(sentence) for sentence in sentences],
            next((path for path in files if path.name == f"{name}.csv"), None),
            [path for path in files if owners[path] == name and path.suffix == ".csv" and path.stem != name],
            [path for path in files if owners[path] == name and path.suffix == ".png"],
        )
        for name, sentences in says.items()
    }


def _owner(path: Path, names: Mapping[str, object]) -> str | None:
    """The explanation that a file is of: NAME or NAME_part; of two names, the longer one."""
    owners = [name for name in names if path.stem == name or path.stem.startswith(f"{name}_")]
    return max(owners, key=len, default=None)


def read_table(path: Path) -> Table:
    """The header and rows of a CSV file; an estimate has its bounds beside it: 0.5 [0.4, 0.6].

    Raises LabelRiskError for what is no table.
    """
    text = path.read_text(encoding="utf-8").replace(LESS_THAN, "<")
    try:
        lines = list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise LabelRiskError(f"{path} is no table ({error}); run `labelrisk repro`, which writes it anew") from None
    columns = list(lines[0]) if lines else []
    bounds = {end: _with_bounds(columns, end) for end in columns if _with_bounds(columns, end)}
    hidden = {bound for pair in bounds.values() for bound in pair}
    shown = [column for column in columns if column not in hidden]
    rows = [[_cell(line, column, bounds.get(column, ())) for column in shown] for line in lines]
    return shown, rows


def _with_bounds(columns: Sequence[str], column: str) -> tuple[str, ...]:
    """The columns with the bounds of one: x_low and x_high, or low and high right behind it."""
    named = tuple(f"{column}_{end}" for end in BOUNDS)
    if set(named) <= set(columns):
        return named
    place = columns.index(column)
    return BOUNDS if tuple(columns[place + 1 : place + 3]) == BOUNDS else ()


def _cell(line: Mapping[str, str], column: str, bounds: Sequence[str]) -> str:
    low_high = [_number(line[bound]) for bound in bounds if line[bound]]
    return _number(line[column]) + (f" [{', '.join(low_high)}]" if len(low_high) == len(BOUNDS) else "")


def _number(text: str) -> str:
    """Three decimals where there are any; what is no number as it is."""
    if not text:
        return "-"
    try:
        number = float(text)
    except ValueError:
        return text_before(text)
    if "." not in text:
        return text
    return f"{number:,.0f}" if abs(number) >= LARGE else f"{number:z.3f}"
