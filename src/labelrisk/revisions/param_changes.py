"""What changed in params.yaml, by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from labelrisk.files import canonical_json


class ParamChange(NamedTuple):
    """A key with its dots, and its values as short YAML; None on the side that lacks it."""

    key: str
    before: str | None
    after: str | None


def param_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ParamChange]:
    """All keys whose value differs, in the order of the files; an entry that one side lacks is one change."""
    return list(_changes(before, after, ""))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> Iterator[ParamChange]:
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if isinstance(one, dict) and isinstance(other, dict) and one and other:
            yield from _changes(one, other, f"{prefix}{key}.")
        elif key not in before or key not in after or canonical_json(one) != canonical_json(other):
            sides = (flow(of[key]) if key in of else None for of in (before, after))
            yield ParamChange(f"{prefix}{key}", *sides)


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
