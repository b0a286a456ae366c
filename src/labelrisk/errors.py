"""Errors that a user can act on: one sentence that says what was found, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LabelRiskError(Exception):
    """A user's mistake or a failing outside world; its message is the whole story, no traceback is shown."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Suggest the allowed name nearest to `name`, or list what is allowed when none is near."""
    names = sorted(str(candidate) for candidate in allowed)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"use one of: {', '.join(names)}"
