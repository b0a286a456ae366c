"""The progress of a run in rows, of which some were labelled by an earlier one."""

from __future__ import annotations

from typing import Any

from labelrisk.progress import bar


class RowsBar:
    """A bar with time left; passes: how many models read each text."""

    def __init__(self, rows: int, passes: int) -> None:
        self._bar: Any = bar(rows, "labelling", "row")
        self._passes = passes
        self._counted = self._read = 0

    def read(self, texts: int) -> None:
        """A model has read so many more texts of this chunk."""
        self._read += texts
        more = self._read // self._passes - self._counted
        self._counted += more
        self._bar.update(more)

    def done(self, rows: int) -> None:
        """A chunk of so many rows is done: the same text is read once, so that fewer may have been counted."""
        self._bar.update(rows - self._counted)
        self._counted = self._read = 0

    def known(self, rows: int) -> None:
        """So many rows were done by an earlier run: they tell nothing about the time left."""
        for count in ("n", "initial", "last_print_n"):
            setattr(self._bar, count, getattr(self._bar, count) + rows)

    def close(self) -> None:
        """Draw it for the last time."""
        self._bar.close()
