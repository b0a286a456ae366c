"""Tables that users bring: CSV, TSV, JSONL and Parquet, with their mistakes named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from labelrisk.errors import LabelRiskError, nearest

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")


def read_table(path: Path, columns: Sequence[str], key: str) -> pd.DataFrame:
    """Read the named columns of a file; `key` is the params key that named the file, for the messages.

    Empty cells of a CSV are missing; the text `NA` is a text.
    Raises LabelRiskError for a file that is absent, unreadable, of another kind, empty, or without a column.
    """
    if not path.is_file():
        raise LabelRiskError(f"{path} is not there; correct {key} in params.yaml")
    if path.suffix not in FORMATS:
        raise LabelRiskError(f"{path} is not a table; {key} in params.yaml takes {', '.join(FORMATS)}")
    try:
        frame = _read(path)
    except (ValueError, OSError) as error:  # pandas, pyarrow and UnicodeDecodeError all derive from these
        reason = " ".join(str(error).split()).rstrip(".")
        raise LabelRiskError(f"{path} can't be read as {path.suffix[1:]} ({reason}); correct the file") from None
    for column in columns:
        if column not in frame.columns:
            available = [str(name) for name in frame.columns]
            raise LabelRiskError(f"{path} has no column '{column}', which {key} needs; {nearest(column, available)}")
    if frame.empty:
        raise LabelRiskError(f"{path} has no rows; put texts in it or correct {key} in params.yaml")
    return frame[list(dict.fromkeys(columns))].reset_index(drop=True)


def _read(path: Path) -> pd.DataFrame:
    if path.stat().st_size == 0:
        raise ValueError("the file is empty")
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".jsonl":
        return pd.read_json(path, lines=True, dtype=False)
    separator = "\t" if path.suffix == ".tsv" else ","
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, na_values=[""])


def label_names(values: pd.Series) -> pd.Series:
    """Label values as names: stripped strings, whole numbers without a decimal point, None where missing."""

    def name(value: object) -> str | None:
        if value is None or value is pd.NA or value != value:
            return None
        if isinstance(value, float) and value.is_integer():  # integers beside missing values were read as floats
            return str(int(value))
        return str(value).strip() or None

    return pd.Series([name(value) for value in values], index=values.index, dtype=object)
