"""What columns are called."""

from __future__ import annotations

import re


def words_of(name: str) -> list[str]:
    """The words that a column's name is made of, in lower case: `goldLabel_2` has gold, label and 2."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[^\W_]+", spaced.casefold())
