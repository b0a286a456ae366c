"""What a part of the page is: a title, how to read it, sentences, tables and charts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labelrisk.charts.contract import Chart

MOST_ROWS = 200  # of a table that stand on the page
EMPTY = ("-", "0", "0.00")
NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(e-?\d+)?( \[.*\])?")


@dataclass(frozen=True, kw_only=True)
class Table:
    """caption: what it shows; rows: cells as texts, the first one names the row; file: where all rows stand.

    left_out: how many rows the file has beside these.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    file: str
    left_out: int = 0

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that hold numbers alone, beside '-'; the first one holds names."""
        cells = {name: {row[place] for row in self.rows} - {"-"} for place, name in enumerate(self.header) if place}
        return tuple(name for name, found in cells.items() if found and all(map(NUMBER.fullmatch, found)))


@dataclass(frozen=True, kw_only=True)
class Section:
    """key: its id on the page; reading: sentences on how to read it; says: what was found.

    tables: are shown; more: are shown when they are opened.
    """

    key: str
    title: str
    reading: str
    says: Sequence[str] = ()
    tables: Sequence[Table] = ()
    more: Sequence[Table] = ()
    charts: Sequence[Chart] = ()


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], file: str) -> Table:
    """A table with no more rows than the page takes."""
    shown, rest = rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS)
    return Table(caption=caption, header=header, rows=shown, file=file, left_out=rest)


def filled(
    header: Sequence[str], rows: Sequence[Sequence[str]], columns: Collection[str]
) -> tuple[list[str], list[list[str]]]:
    """Header and rows without those of `columns` in which nothing stands: no number, no money, no failed run."""
    left = [
        place
        for place, name in enumerate(header)
        if name not in columns or any(row[place] not in EMPTY for row in rows)
    ]
    return [header[place] for place in left], [[row[place] for place in left] for row in rows]
