"""Progress with time left: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10


def bar(total: int, what: str, unit: str, done: int = 0) -> tqdm[Any]:
    """A tqdm bar on standard error; where that is no terminal, each refresh is a plain line of its own."""
    if sys.stderr.isatty():
        return tqdm(total=total, desc=what, unit=unit, initial=done, dynamic_ncols=True)
    return tqdm(
        total=total, desc=what, unit=unit, initial=done, ncols=0, file=_Lines(), mininterval=SECONDS_BETWEEN_LINES
    )


class _Lines:
    """Standard error where every carriage return starts a new line."""

    def write(self, text: str) -> None:
        """Write one refresh of the bar as a line."""
        if line := text.strip("\r\n"):
            print(line, file=sys.stderr)

    def flush(self) -> None:
        """Pass the lines on."""
        sys.stderr.flush()
