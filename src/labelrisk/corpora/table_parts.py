"""Tables that users bring, some ten thousand rows at a time: what read_table reads, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labelrisk.corpora.delimited import field_parts
from labelrisk.corpora.formats import SEPARATORS, place_of, refuse_other_format
from labelrisk.corpora.json_lines import object_parts
from labelrisk.corpora.parquet_files import column_parts
from labelrisk.corpora.tables import checked_values, refuse_absent
from labelrisk.errors import LabelRiskError
from labelrisk.files import named_file

Content = tuple[list[str], dict[str, Any], str, Sequence[int]]  # all names, values by name, unit, numbers of the rows


class TablePart(NamedTuple):
    """Some rows: their columns (see checked_values), whether they are lines or rows, and their numbers."""

    columns: dict[str, Any]
    unit: str
    numbers: Sequence[int]


def stream_table(path: Path, columns: Mapping[str, str], key: str, most: int | None = None) -> Iterator[TablePart]:
    """The named columns of a file; see read_table, which raises for the same mistakes: here each as it is met.

    columns: by name the params key that named it; key: the one that named the file.
    """
    named_file(path, f"correct {place_of(key)}")
    refuse_other_format(path, key)
    names: list[str] = []
    rows = 0
    for names, values, unit, numbers in _content(path, list(columns), most):
        if unit == "row" or path.suffix.lower() in SEPARATORS:  # of JSONL a later line may hold the key
            refuse_absent(path, columns, names, key)

        def where(row: int, unit: str = unit, numbers: Sequence[int] = numbers) -> str:
            return f"{path}, {unit} {numbers[row]}"

        if len(numbers):
            yield TablePart({name: checked_values(where, name, values[name]) for name in columns}, unit, numbers)
        rows += len(numbers)
    refuse_absent(path, columns, names, key)
    if not rows:
        raise LabelRiskError(f"{path} has no rows; put texts in it or correct {place_of(key)}")


def _content(path: Path, columns: Sequence[str], most: int | None) -> Iterator[Content]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        before = 0
        for table in column_parts(path, columns, most):
            yield table.names, table.columns, "row", range(before + 1, before + table.rows + 1)
            before += table.rows
    elif suffix == ".jsonl":
        for objects in object_parts(path, columns, most):
            yield objects.keys, objects.columns, "line", objects.lines
    else:
        for fields in field_parts(path, SEPARATORS[suffix], columns, most):
            cells = {
                name: [cell or None for cell in of] for name, of in zip(fields.header, fields.columns, strict=True)
            }
            yield fields.header, cells, "line", fields.lines
