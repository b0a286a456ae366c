"""Tables that users bring: CSV, TSV, JSONL and Parquet, with their mistakes named and nothing in them changed."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from labelrisk.corpora.delimited import read_fields
from labelrisk.corpora.formats import SEPARATORS, other_columns, place_of, refuse_other_format
from labelrisk.corpora.json_lines import read_objects
from labelrisk.corpora.parquet_files import read_columns
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import named_file

SCALARS = (str, bool, int, float, Decimal, type(None))  # what may be a label; of other kinds are texts only
Where = Callable[[int], str]
EXACT = 2**53  # from here on not every whole number is a float: the one that was written may be another


@dataclass(frozen=True)
class Table:
    """The rows of a file: its named columns, and where each row stands."""

    path: Path
    frame: pd.DataFrame
    unit: str  # line or row
    numbers: Sequence[int]

    @property
    def places(self) -> list[str]:
        """File and line, or row, of each row, for messages."""
        return [f"{self.path}, {self.unit} {number}" for number in self.numbers]

    def where(self, row: int) -> str:
        """File and line, or row, of one row, for messages."""
        return f"{self.path}, {self.unit} {self.numbers[row]}"


def read_table(
    path: Path,
    columns: Sequence[str] | Mapping[str, str],
    key: str,
    most: int | None = None,
    separators: str | None = None,
) -> Table:
    """Read the named columns of a file, of at most so many rows; `key` is the params key that named the file, for the
    messages, and the values of a mapping are the keys that named the columns.  separators: what may stand between the
    fields of a CSV, where that is no comma only.

    Empty cells of a CSV are missing; the text `NA` is a text.  Columns of texts are strings; others hold what was
    written: numbers, whole ones with all their digits, true and false.
    Raises LabelRiskError for a file that is absent, unreadable, of another kind, empty, or without a column, a column
    that stands twice, and a value that is neither text nor number.
    """
    named_file(path, f"correct {place_of(key)}")
    refuse_other_format(path, key)
    names, values, unit, numbers = read_content(path, list(dict.fromkeys(columns)), most, separators)
    refuse_absent(path, columns, names, key)
    if not numbers:
        raise LabelRiskError(f"{path} has no rows; put texts in it or correct {place_of(key)}")
    table = Table(path, pd.DataFrame(index=range(len(numbers))), unit, numbers)
    for column in dict.fromkeys(columns):
        table.frame[column] = series_of(table, column, values[column])
    return table


def refuse_absent(path: Path, columns: Iterable[str], names: Sequence[str], key: str) -> None:
    """Raises LabelRiskError where a file with such columns lacks one, or has it twice, as read_table does."""
    keys = columns if isinstance(columns, Mapping) else {}
    for column in columns:
        needing = f"{keys[column]} names" if column in keys else f"{key} needs"
        if column not in names:
            other = other_columns(path, column, names)
            raise LabelRiskError(f"{path} has no column '{column}', which {needing}; {other}")
        if (times := names.count(column)) > 1:
            raise LabelRiskError(
                f"{path} has {times} columns '{column}', and {needing} one; rename the others in the file"
            )


Content = tuple[list[str], dict[str, Any], str, Sequence[int]]  # all names, values by name, unit, numbers of the rows


def read_content(path: Path, columns: Sequence[str], most: int | None = None, separators: str | None = None) -> Content:
    """The names of all columns, which may stand twice, and the values of those that were asked for."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table = read_columns(path, columns, most)
        return table.names, table.columns, "row", range(1, table.rows + 1)
    if suffix == ".jsonl":
        objects = read_objects(path, columns, most)
        return objects.keys, objects.columns, "line", objects.lines
    fields = read_fields(path, separators or SEPARATORS[suffix], columns, most)
    cells = {name: [cell or None for cell in of] for name, of in zip(fields.header, fields.columns, strict=True)}
    return fields.header, cells, "line", fields.lines


def series_of(table: Table, column: str, values: Any) -> pd.Series:
    """A column: strings where it holds nothing else, else objects; raises as checked_values does."""
    checked = checked_values(table.where, column, values)
    series: pd.Series = pd.Series(checked, dtype=object) if isinstance(checked, list) else checked.to_pandas()
    return series


def checked_values(where: Where, column: str, values: Any) -> Any:
    """The values of a column: an Arrow array of strings where it holds nothing else, else a list as it is.

    where: file and line, or row, of a value.
    Raises LabelRiskError for what is neither text nor number, and for half of a character, which no file can hold.
    """
    if not isinstance(values, list):
        return values
    kinds = set(map(type, values))
    if any(not issubclass(kind, SCALARS) for kind in kinds):
        row, odd = next((row, value) for row, value in enumerate(values) if not isinstance(value, SCALARS))
        raise LabelRiskError(f"{where(row)}: the column '{column}' holds {_kind(odd)}; write a text or a number")
    if not kinds <= {str, type(None)}:
        _refuse_halves(where, column, values)
        _refuse_lost_digits(where, column, values)
        return values
    try:
        return pa.array(values, pa.string())
    except (UnicodeEncodeError, pa.ArrowException):
        _refuse_halves(where, column, values)
        raise


def _refuse_halves(where: Where, column: str, values: Iterable[object]) -> None:
    for row, value in enumerate(values):
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise LabelRiskError(
                    f"{where(row)}: the column '{column}' holds half of a character, "
                    f"{shown(value[error.start])}; write the whole character"
                ) from None


def _refuse_lost_digits(where: Where, column: str, values: Iterable[object]) -> None:
    """A large float may be another number than was written: integers beside missing ones often end so."""
    for row, value in enumerate(values):
        if isinstance(value, float) and EXACT <= abs(value) < math.inf:
            raise LabelRiskError(
                f"{where(row)}: the column '{column}' holds the number {shown(f'{value:.0f}', 30)}, which may "
                "have lost digits when the file was written; write it as a text"
            )


def _kind(value: object) -> str:
    known: dict[type, str] = {list: "a list", dict: "an object", bytes: "bytes"}
    return known.get(type(value), f"a {type(value).__name__}")


def label_names(values: pd.Series, labels: Sequence[str] = ()) -> pd.Series:
    """Label values as names: stripped strings, whole numbers without a decimal point, None where missing.

    labels: a name that is one of these but for the Unicode normalisation becomes that one.
    """
    spelled = spellings(labels)
    return pd.Series([label_name(value, spelled) for value in values], index=values.index, dtype=object)


def spellings(labels: Sequence[str]) -> dict[str, str]:
    """The labels by their normalised form, for label_name."""
    return {unicodedata.normalize("NFC", label): label for label in labels}


def label_name(value: object, spelled: Mapping[str, str]) -> str | None:
    """One label value as a name; see label_names."""
    if is_missing(value):
        return None
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return str(int(value))  # whoever wrote the file had integers beside missing values
    text = str(value).strip()
    return (text if text.isascii() else spelled.get(unicodedata.normalize("NFC", text), text)) or None


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or value is pd.NA or bool(value != value)
