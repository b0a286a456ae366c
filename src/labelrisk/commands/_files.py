"""JSON files that a command shows: written by an earlier stage, by another version of it, or named by the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import named_file


def read_named_json(path: Path, what: str) -> Any:
    """Read a JSON file that the user names; what: the kind of file that is meant.

    Raises LabelRiskError where there is none.
    """
    try:
        return json.loads(named_file(path, "run `labelrisk repro` first").read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise LabelRiskError(f"{shown(path, 300)} is no JSON; name a {what}") from None


@contextmanager
def of_this_version(files: str, advice: str) -> Iterator[None]:
    """Lay out files whose form is not checked before: one that lacks what is shown is of another version, or a hand."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {shown(error)}"
        raise LabelRiskError(f"{files} does not hold what this version shows ({reason}); {advice}") from None
