"""The folder of explanations, as `labelrisk why` reads it and lays it out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from labelrisk.comparison.table import Table, markdown_table
from labelrisk.explanations.told import Told, read_explanations, read_table
from labelrisk.text_tables import WIDTH, ascii_of, cut, markdown_of, text_table

ROWS = 30  # of a table that are shown
FIRST = 4  # sentences of each where all explanations are shown: the first say most
LETTERS = 26  # of a cell: -10.694 [-11.815, -10.764]
BOUND = "\u00a0"  # a space at which no line ends
__all__ = ["Told", "explanation_markdown", "explanation_text", "read_explanations", "read_table"]


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
