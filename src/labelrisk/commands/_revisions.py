"""Revisions of a study as a person names them, and what changed between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._experiments import commit_of, short
from labelrisk.errors import LabelRiskError, shown

if TYPE_CHECKING:
    from labelrisk.revisions.changes import Changes

Side = tuple[str, str | None]  # the name, and the commit; None for the files as they lie


def side(name: str) -> Side:
    """A revision by its name.

    Raises LabelRiskError for one that git does not know.
    """
    from labelrisk.revisions.revision import WORKSPACE

    return (name, None) if name == WORKSPACE else (short(name), commit_of(name))


def changes_of(before: Side, after: Side, params: Path, examples: int, for_others: bool = False) -> Changes:
    """What changed from one side to the other; for_others: as a comment, in which texts stand only where these may
    leave, and before which there need not have been a study.

    Raises LabelRiskError where a side has none.
    """
    from labelrisk.revisions.changes import changes_between
    from labelrisk.revisions.revision import revisions_of

    commit_of("HEAD")  # outside git, and before the first commit, the sentence is about that
    with revisions_of([before, after]) as revisions:
        for revision in revisions[for_others:]:
            if revision.text(params.name) is None:
                raise LabelRiskError(
                    f"there is no {params.name} at {shown(revision.title)} in this folder; run from a study's folder, "
                    "or name a revision that has the study"
                )
        return changes_between(revisions[0], revisions[1], params.name, examples, for_others)
