"""Whole requests taken apart into a template and a text again, so that imported answers can share templates."""

from __future__ import annotations

import json
from typing import Any

from labelrisk.files import canonical_json


class TemplateFinder:
    """Finds the template that requests of a kind share, from what each has in common with those before.

    Whatever it finds, prefix + text + suffix is the request to the letter; one that shares nothing is its own template.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[Any, ...], tuple[str, str | None]] = {}

    def parts(self, kind: tuple[Any, ...], whole: str) -> tuple[str, str, str]:
        """Prefix, text and suffix of a request's canonical JSON."""
        before, after = self._last.get(kind, (whole, None))  # None: one request so far, which is its own suffix
        prefix = _common(before, whole)
        rest = whole[len(prefix) :]
        suffix = _common((before[len(prefix) :] if after is None else after)[::-1], rest[::-1])[::-1]
        escaped = rest[: len(rest) - len(suffix)]
        try:
            text = json.loads(f'"{escaped}"')
            if (prefix, suffix) != (before, after):
                json.loads(f"{prefix}x{suffix}")  # can be read only where the slot is inside a string, not an escape
        except ValueError:
            text = None
        if text is None or canonical_json(text) != f'"{escaped}"':
            self._last[kind] = (whole, None)
            return whole, "", ""
        self._last[kind] = (prefix, suffix)
        return prefix, text, suffix


def _common(first: str, second: str) -> str:
    if second.startswith(first):  # nearly always, once the template is found
        return first
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return first[:place]
    return second
