"""What each code host does for a comment: say which ones there are, write one, and change one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Comment(NamedTuple):
    """A comment as a host knows it; own: whether this job's account wrote it."""

    id: int
    text: str
    own: bool


class CodeHost(Protocol):
    """A pull or merge request of one host.  Each call raises LabelRiskError where the host does not do it."""

    def comments(self) -> Iterator[Comment]:
        """All comments below it, the oldest first."""

    def write(self, text: str) -> str:
        """Add a comment; returns its address."""

    def change(self, comment: int, text: str) -> str:
        """Replace the text of a comment; returns its address."""
