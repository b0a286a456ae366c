"""All that changed in a study between two revisions, as one object and as JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from labelrisk.revisions.codebook_changes import CodebookChange, codebook_changes
from labelrisk.revisions.label_changes import LabelChange, label_changes
from labelrisk.revisions.param_changes import ParamChange, param_changes
from labelrisk.revisions.picture_changes import PictureChange, picture_changes
from labelrisk.revisions.prompt_changes import PromptChange, prompt_changes
from labelrisk.revisions.revision import Revision, Unread, unread_of
from labelrisk.revisions.score_changes import ScoreChanges, score_changes
from labelrisk.revisions.snapshot import Snapshot
from labelrisk.revisions.verdict_changes import VerdictChange, verdict_changes
from labelrisk.statistics.scores import rounded


class Changes(NamedTuple):
    """What changed from one revision to another, and what could not be read."""

    before: str
    after: str
    verdicts: list[VerdictChange]
    scores: ScoreChanges
    params: list[ParamChange]
    codebooks: list[CodebookChange]
    prompts: list[PromptChange]
    labels: list[LabelChange]
    pictures: list[PictureChange]
    unread: list[Unread]


def changes_between(before: Revision, after: Revision, params: str, examples: int, leaves: bool = False) -> Changes:
    """Compare two revisions; examples: flipped rows shown of each annotator; leaves: whether others are to read it.

    What leaves has no texts where either revision keeps them here.
    """
    old, new = Snapshot(before, params), Snapshot(after, params)
    codebooks = codebook_changes(old, new)
    parts = {reader: change.parts for change in codebooks for reader in change.readers}
    changed = {
        "verdicts": verdict_changes(old, new),
        "scores": score_changes(old, new),
        "params": param_changes(old.params, new.params),
        "codebooks": codebooks,
        "prompts": prompt_changes(old, new, parts),
        "labels": label_changes(old, new, examples, not leaves or (old.texts_may_leave and new.texts_may_leave)),
        "pictures": picture_changes(before, after),
    }
    unread = [found for side in (before, after) if (found := unread_of(side))]
    return Changes(before.title, after.title, **changed, unread=unread)  # type: ignore[arg-type]


def as_json(changes: Changes) -> dict[str, Any]:
    """As plain data, with shares from 0 to 1; lists stay in their order."""
    plain: dict[str, Any] = _plain(changes)
    for change, judged in zip(plain["verdicts"], changes.verdicts, strict=True):
        change |= {"is_changed": judged.is_changed, "is_worse": judged.is_worse}
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(of) for name, of in value._asdict().items()}
    if isinstance(value, dict):
        return {name: _plain(of) for name, of in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(of) for of in value]
    return rounded(value) if isinstance(value, float) else value
