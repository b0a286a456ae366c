"""JSONL, read strictly: one object on each line, each key once, and every number and letter as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labelrisk.errors import LabelRiskError, shown

ROWS_OF_PART = 16_000


class Objects(NamedTuple):
    """The keys of all objects, the values of those that were asked for (None where there is none), and the lines."""

    keys: list[str]
    columns: dict[str, list[Any]]
    lines: list[int]


def read_objects(path: Path, wanted: Sequence[str], most: int | None = None) -> Objects:
    """Read a file with a JSON object on each line, at most so many; blank lines are left out.

    Raises LabelRiskError as stream_objects does, and for an empty file.
    """
    found = Objects([], {name: [] for name in wanted}, [])
    for part in object_parts(path, wanted, most):
        found.lines.extend(part.lines)
        for name, values in found.columns.items():
            values.extend(part.columns[name])
        found = found._replace(keys=part.keys)
    return found


def object_parts(path: Path, wanted: Sequence[str], most: int | None = None) -> Iterator[Objects]:
    """What read_objects gives, some ten thousand rows at a time, with all keys so far; raises as it does."""
    keys: dict[str, None] = {}
    part = Objects([], {name: [] for name in wanted}, [])
    read = 0
    for number, content in stream_objects(path):
        keys.update(dict.fromkeys(content))
        part.lines.append(number)
        for name, values in part.columns.items():
            values.append(content.get(name))
        read += 1
        if read == most:
            break
        if len(part.lines) == ROWS_OF_PART:
            yield part._replace(keys=list(keys))
            part = Objects([], {name: [] for name in wanted}, [])
    if not read and path.stat().st_size == 0:
        raise LabelRiskError(f"{path} can't be read as jsonl (the file is empty); correct the file")
    yield part._replace(keys=list(keys))


def stream_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with the line of each, one after the other; blank lines are left out.

    Raises LabelRiskError that names the line: for what is not UTF-8 or no JSON object, and for a key that stands twice.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):  # lines end at \n alone: JSON holds other line breaks as they are
            if (content := object_of(raw, number, str(path))) is not None:
                yield number, content


def object_of(raw: bytes, number: int, where: str) -> dict[str, Any] | None:
    """The object of one line, None of a blank one; number, where: of the line, for messages.

    Raises LabelRiskError as stream_objects does.
    """
    try:
        line = str(raw, "utf-8-sig" if number == 1 else "utf-8").strip()
        if not line:
            return None
        content = _DECODER.decode(line)
        if not isinstance(content, dict):
            raise ValueError("a value that is no object")
    except UnicodeDecodeError:
        raise LabelRiskError(f"{where}, line {number}, is not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        reason = f"{error.msg}, column {error.colno}"
        raise LabelRiskError(f"{where}, line {number}, can't be read as jsonl ({reason}); correct the line") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise LabelRiskError(f"{where}, line {number}, can't be read as jsonl ({reason}); correct the line") from None
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key '{shown(twice)}' stands twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)
