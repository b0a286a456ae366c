"""Sources whose verdict is another one, the gravest first."""

from __future__ import annotations

from typing import NamedTuple

from labelrisk.revisions.snapshot import Snapshot, Source

# the gravest first, as docs/verdict.md has them; where nothing can be told is graver than where all is well
GRAVITY = ("not trained enough", "risky", "loses a class", "unstable", "no better than random", "can't tell")


class VerdictChange(NamedTuple):
    """A source with what is said of it on both sides; None on the side that lacks it."""

    source: str
    before: Source | None
    after: Source | None

    @property
    def is_worse(self) -> bool:
        """Whether both sides have a verdict, and the later one is graver."""
        return bool(self.before and self.after and gravity(self.after.verdict) > gravity(self.before.verdict))

    @property
    def is_changed(self) -> bool:
        """Whether the word is another one, or one side lacks the source."""
        return self.before is None or self.after is None or self.before.verdict != self.after.verdict


def gravity(verdict: str) -> int:
    """How grave a word of the verdict is; 0 for safe and for the reference."""
    return len(GRAVITY) - GRAVITY.index(verdict) if verdict in GRAVITY else 0


def verdict_changes(before: Snapshot, after: Snapshot) -> list[VerdictChange]:
    """All sources of either revision: worse, better, added, removed, the same; within these the graver word first, then
    as the study has them.
    """
    names = dict.fromkeys([*after.sources, *before.sources])
    changes = [VerdictChange(name, before.sources.get(name), after.sources.get(name)) for name in names]
    return sorted(changes, key=_place)


def _place(change: VerdictChange) -> tuple[int, int]:
    """A comment is cut at its end, which must not be where the risky ones stand."""
    last = change.after or change.before
    grave = -gravity(last.verdict) if last else 0
    if not change.is_changed:
        return 4, grave
    if change.before is None or change.after is None:
        return 2 if change.before is None else 3, grave
    return 0 if change.is_worse else 1, grave
