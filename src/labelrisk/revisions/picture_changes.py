"""Pictures in git that are other ones than before."""

from __future__ import annotations

from typing import NamedTuple

from labelrisk.revisions.revision import Revision

FOLDERS = ("plots", "explanations")
FIRST = "plots/f1_by_source.png"


class PictureChange(NamedTuple):
    """A picture by its path from the study, and whether the earlier revision has it, too."""

    path: str
    was_there: bool


def picture_changes(before: Revision, after: Revision) -> list[PictureChange]:
    """Pictures that the later revision has and the earlier one has not, or not so; macro-F1 by source first."""
    found = []
    for folder in FOLDERS:
        old, new = before.pictures(folder), after.pictures(folder)
        found += [PictureChange(path, path in old) for path in sorted(new) if old.get(path) != new[path]]
    return sorted(found, key=lambda change: (change.path != FIRST, not change.path.startswith(FOLDERS[0])))
