"""Columns of JSON lines: a type for each key, known when all lines were seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from labelrisk.errors import LabelRiskError, shown

JSON = {b"json": b"1"}  # of a field whose texts are JSON
LARGEST = 2**63
PLAIN: dict[type, pa.DataType] = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}


@dataclass
class JsonColumns:
    """kinds: by key in the order of first sight the kinds of its values, of which null is none."""

    kinds: dict[str, set[type]]

    @classmethod
    def none(cls) -> JsonColumns:
        """Of no line yet."""
        return cls({})

    def learn(self, content: Mapping[str, Any], where: str) -> None:
        """Take note of a line.  Raises LabelRiskError for half of a character, which no file can hold."""
        for key, value in content.items():
            kinds = self.kinds.setdefault(key, set())
            if value is not None:
                kinds.add(_kind(value))
                text = f"{key}{value if isinstance(value, str) else ''}"
                if not text.isascii() and (half := _half(text)):
                    raise LabelRiskError(
                        f"{where}: the key '{shown(key)}' holds half of a character, {shown(half)}; write the whole one"
                    )

    @property
    def schema(self) -> pa.Schema:
        """A key of one plain kind has its type; any other, and null alone, is JSON text."""
        return pa.schema([self._field(key) for key in self.kinds])

    def _field(self, key: str) -> pa.Field:
        kinds = self.kinds[key]
        if len(kinds) == 1 and (kind := next(iter(kinds))) in PLAIN:
            return pa.field(key, PLAIN[kind])
        return pa.field(key, pa.string(), metadata=JSON)

    def batch(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> pa.RecordBatch:
        """Lines as rows of these columns (None: all)."""
        fields = [self._field(key) for key in (self.kinds if columns is None else columns)]
        arrays = [pa.array([_value(row.get(field.name), field) for row in rows], field.type) for field in fields]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def is_json(field: pa.Field) -> bool:
    """Whether a column's texts are JSON."""
    return bool(field.metadata and JSON.items() <= field.metadata.items())


def _kind(value: object) -> type:
    kind = type(value)
    return object if kind is int and not -LARGEST <= value < LARGEST else kind  # type: ignore[operator]


def _value(value: Any, field: pa.Field) -> Any:
    return json.dumps(value, ensure_ascii=False) if is_json(field) and value is not None else value


def _half(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return text[error.start]
    return None
