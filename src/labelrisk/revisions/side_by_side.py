"""Several revisions of a study side by side: what differs in their sources and in their params."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labelrisk.comparison.verdicts import points
from labelrisk.revisions.param_changes import flow
from labelrisk.revisions.snapshot import Snapshot, Source

ABSENT = "-"
LONGEST = 60  # characters of a value


class Row(NamedTuple):
    """A source at a revision as it is printed: macro-F1 of its students, its gap to the reference, and the verdict."""

    revision: str
    macro_f1: str
    gap: str
    verdict: str


class SideBySide(NamedTuple):
    """By source a row for each revision, by key a value for each revision; what is the same in all is counted."""

    sources: dict[str, list[Row]]
    params: dict[str, list[str]]
    the_same: int


def side_by_side(snapshots: Mapping[str, Snapshot]) -> SideBySide:
    """Compare studies by the names of their revisions; sources whose numbers are the same in all are left out."""
    studies = list(snapshots.values())
    names = dict.fromkeys(name for study in studies for name in study.sources)
    rows = {name: [_row(revision, study.sources.get(name)) for revision, study in snapshots.items()] for name in names}
    differing = {name: of for name, of in rows.items() if len({row._replace(revision="") for row in of}) > 1}
    return SideBySide(differing, _params([study.params for study in studies]), len(rows) - len(differing))


def _row(revision: str, source: Source | None) -> Row:
    if source is None:
        return Row(revision, ABSENT, ABSENT, ABSENT)
    score = f"{100 * source.macro_f1[0]:.1f}" if source.macro_f1 else ABSENT
    gap = ABSENT
    if source.gap:
        estimate, low, high = (points(value, "+z") for value in source.gap)
        gap = f"{estimate} [{low}, {high}]"
    return Row(revision, score, gap, source.verdict)


def _params(studies: Sequence[Mapping[str, object]]) -> dict[str, list[str]]:
    """By key with its dots the values of those keys that differ, ABSENT where there is none."""
    flat = [dict(_leaves(study)) for study in studies]
    keys = dict.fromkeys(key for study in flat for key in study)
    found = {key: [study.get(key, ABSENT) for study in flat] for key in keys}
    return {key: values for key, values in found.items() if len(set(values)) > 1}


def _leaves(of: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    leaves: list[tuple[str, str]] = []
    for key, value in of.items():
        if isinstance(value, dict) and value:
            leaves += _leaves(value, f"{prefix}{key}.")
        else:
            text = flow(value)
            leaves.append((f"{prefix}{key}", text if len(text) <= LONGEST else f"{text[: LONGEST - 2]}.."))
    return leaves


def params_blocks(params: Mapping[str, Sequence[str]], revisions: Sequence[str]) -> list[str]:
    """Lines of the params that differ: a key, and below it a line for each value with the revisions that have it."""
    lines = []
    for key, values in params.items():
        lines.append(key)
        for value in dict.fromkeys(values):
            having = ", ".join(name for name, one in zip(revisions, values, strict=True) if one == value)
            lines.append(f"    {value}  ({having})")
    return lines
