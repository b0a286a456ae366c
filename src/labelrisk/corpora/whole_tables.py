"""All columns of a table that may be texts or labels, for whoever does not know their names yet."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pandas as pd

from labelrisk.corpora.formats import place_of, refuse_other_format
from labelrisk.corpora.tables import Table, read_content, series_of
from labelrisk.errors import LabelRiskError
from labelrisk.files import named_file


def read_whole_table(path: Path, key: str) -> tuple[list[str], Table]:
    """The names of all columns as the file has them, and the table of those that have a name of their own and hold
    nothing but texts and numbers; key: what named the file, for the messages.

    Raises LabelRiskError as read_table does, but for what is wrong in a single column.
    """
    named_file(path, f"correct {place_of(key)}")
    refuse_other_format(path, key)
    names = read_content(path, (), most=None if path.suffix.lower() == ".jsonl" else 0)[0]
    once = [name for name in names if name.strip() and names.count(name) == 1]
    _, values, unit, numbers = read_content(path, once)
    if not numbers:
        raise LabelRiskError(f"{path} has no rows; put texts in it or correct {place_of(key)}")
    table = Table(path, pd.DataFrame(index=range(len(numbers))), unit, numbers)
    for name in once:
        with suppress(LabelRiskError):  # lists and objects: no texts, no labels
            table.frame[name] = series_of(table, name, values[name])
    return names, table
