"""The folder of explanations, as `labelrisk why` reads it and lays it out."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from labelrisk.comparison.outputs import LESS_THAN
from labelrisk.comparison.table import Table, markdown_table
from labelrisk.corpora.spreadsheets import text_before
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_json
from labelrisk.text_tables import WIDTH, ascii_of, cut, markdown_of, text_table

ROWS = 30  # of a table that are shown
FIRST = 4  # sentences of each where all explanations are shown: the first say most
LETTERS = 26  # of a cell: -10.694 [-11.815, -10.764]
LARGE = 100  # numbers from here on are shown without decimals
BOUNDS = ("low", "high")
BOUND = "\u00a0"  # a space at which no line ends


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
        raise LabelRiskError(f"{folder} holds no explanations; run `make repro` first")
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
        raise LabelRiskError(f"{path} is no table ({error}); run `make repro`, which writes it anew") from None
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


def explanation_text(told: Told, in_full: bool, width: int = WIDTH) -> str:
    """Its name and sentences as plain ASCII; in full: with its main table, as many columns as fit, and the paths."""
    lines = [ascii_of(told.name), "-" * len(ascii_of(told.name))]
    for sentence in _shown(told, in_full):
        bound = ascii_of(sentence).replace(" %", f"{BOUND}%")
        wrapped = textwrap.wrap(bound, width, initial_indent="- ", subsequent_indent="  ")
        lines += [line.replace(BOUND, " ") for line in wrapped]
    parts = ["\n".join(lines)]
    if in_full and told.table is not None:
        header, rows = read_table(told.table)
        cells = [[header[0], *header[1:]], *rows[:ROWS]] if rows else []
        cells = [[cut(cell, LETTERS) if column else cell for column, cell in enumerate(line)] for line in cells]
        fitting = _fitting(cells, width)
        if cells:
            parts.append(text_table(*_part(cells, fitting), width))
        parts.append(textwrap.fill(ascii_of(_left_out(told.table, header, rows, fitting)), width))
    if in_full:
        parts += [
            textwrap.fill(ascii_of(f"{what}: {' '.join(map(str, paths))}"), width, break_long_words=False)
            for what, paths in (("Tables", told.other_tables), ("Pictures", told.pictures))
            if paths
        ]
    return "\n\n".join(part for part in parts if part)


def _shown(told: Told, in_full: bool) -> list[str]:
    more = 0 if in_full else len(told.says) - FIRST
    if more <= 1:  # one more takes no more room than to say so
        return list(told.says)
    return [*told.says[:FIRST], f"({more} more: labelrisk why {told.name})"]


def _part(cells: Sequence[Sequence[str]], columns: Sequence[int]) -> Table:
    header, *rows = ([line[column] for column in columns] for line in cells)
    return header, rows


def _fitting(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """The first columns, and of the later ones each that still fits."""
    chosen: list[int] = []
    taken = 0
    for column in range(len(cells[0]) if cells else 0):
        size = min(max(len(ascii_of(line[column])) for line in cells), LETTERS if column == 0 else width)
        if taken + size + 2 * bool(chosen) <= width:
            chosen.append(column)
            taken += size + 2 * (len(chosen) > 1)
    return chosen


def _left_out(path: Path, header: Sequence[str], rows: Sequence[object], fitting: Sequence[int]) -> str:
    """What of a table is not shown, and where it is."""
    parts = []
    if len(rows) > ROWS:
        parts.append(f"{len(rows) - ROWS:,} of {len(rows):,} rows")
    if others := [name for column, name in enumerate(header) if column not in fitting]:
        parts.append(f"the columns {', '.join(others)}")
    return f"{path} also holds {' and '.join(parts)}." if parts else f"From {path}."


def explanation_markdown(told: Told, in_full: bool) -> str:
    """The same as Markdown, with all columns."""
    sentences = "\n".join(f"- {markdown_of(sentence)}" for sentence in _shown(told, in_full))
    parts = [f"### {markdown_of(told.name)}", sentences]
    if in_full and told.table is not None:
        header, rows = read_table(told.table)
        if rows:
            parts.append(markdown_table((header, rows[:ROWS])))
        parts.append(markdown_of(_left_out(told.table, header, rows, range(len(header)))))
    if in_full:
        parts += [
            markdown_of(f"{what}: {' '.join(map(str, paths))}")
            for what, paths in (("Tables", told.other_tables), ("Pictures", told.pictures))
            if paths
        ]
    return "\n\n".join(parts)
