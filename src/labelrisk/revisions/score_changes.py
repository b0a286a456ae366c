"""What a change did to the students: macro-F1 of each source in two revisions, with an interval of the difference."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from labelrisk.revisions.revision import same_file
from labelrisk.revisions.scored_runs import ScoredRuns, key, scored_runs
from labelrisk.revisions.snapshot import RUNS, Snapshot, Source
from labelrisk.statistics.contrasts import decide
from labelrisk.statistics.intervals import Interval

Kind = Literal["added", "removed", "unchanged", "paired", "unpaired", "unknown"]


class ScoreChange(NamedTuple):
    """A source: macro-F1 before and after, the difference with its interval, and what Holm's correction leaves decided.

    paired: on the same test rows, row by row; unpaired: from both intervals, which is wider.  decision: better, worse,
    equivalent (within the margin) or not decided; None where there is no interval.
    """

    source: str
    kind: Kind
    before: float | None
    after: float | None
    difference: tuple[float, float, float] | None = None
    decision: str | None = None


class ScoreChanges(NamedTuple):
    """All sources of either revision, how they were compared in a sentence, and the level and margin.

    test_rows: those compared on, of so many before and after; None where the students' answers are not read.
    """

    sources: list[ScoreChange]
    said: str
    test_rows: tuple[int, int, int] | None
    confidence: float
    margin: float


def score_changes(before: Snapshot, after: Snapshot) -> ScoreChanges:
    """Paired where the students' answers of both revisions can be read, else by the intervals in the metrics files."""
    margin, confidence = after.margin_and_confidence
    both = [name for name in after.sources if name in before.sources]
    same = same_file(RUNS, before.revision, after.revision)
    runs = None if same or not both else scored_runs(before, after, both)
    intervals: dict[str, tuple[Kind, Interval]] = {}
    for name in both:
        if same or (name in runs.unchanged if runs else _same_students(name, before, after)):
            continue
        if runs:
            found = runs.variances.difference(key(name, 1), key(name, 0), confidence)
            intervals[name] = ("paired", found)
        elif (beside := _unpaired(before.sources[name], after.sources[name], confidence)) is not None:
            intervals[name] = ("unpaired", beside)
    contrasts = decide([interval for _, interval in intervals.values()], margin, confidence) if intervals else []
    decisions = {name: contrast.decision for name, contrast in zip(intervals, contrasts, strict=True)}
    changes = []
    for name in dict.fromkeys([*after.sources, *before.sources]):
        old, new = (_score(study, name, runs, side) for side, study in enumerate((before, after)))
        if name not in both:
            changes.append(ScoreChange(name, "added" if name in after.sources else "removed", old, new))
        elif name in intervals:
            kind, interval = intervals[name]
            changes.append(ScoreChange(name, kind, old, new, interval[:3], decisions[name]))
        else:
            is_known = same or runs is not None or (old is not None and old == new)
            changes.append(ScoreChange(name, "unchanged" if is_known else "unknown", old, new))
    said = _how(before, after, same, runs, bool(both))
    return ScoreChanges(changes, said, runs.rows if runs else None, confidence, margin)


def _same_students(name: str, before: Snapshot, after: Snapshot) -> bool:
    """Whether a source's predictions are the same files, of the same rows, by DVC's hashes."""
    outputs = [side.revision.outputs_below(f"data/predictions/{name}") for side in (before, after)]
    same_rows = before.revision.hash("data/prepared") == after.revision.hash("data/prepared")
    return same_rows and bool(outputs[0]) and outputs[0] == outputs[1]


def _score(study: Snapshot, name: str, runs: ScoredRuns | None, side: int) -> float | None:
    if runs and key(name, side) in runs.variances.scores:
        return float(runs.variances.scores[key(name, side)].mean())
    found = study.sources.get(name)
    return None if found is None or found.macro_f1 is None else found.macro_f1[0]


def _unpaired(before: Source, after: Source, confidence: float) -> Interval | None:
    """The difference of two estimates as if they had nothing in common: the squares of their intervals' halves add up.

    None where both are the same numbers, or one is not known.
    """
    from scipy.special import ndtri

    one, other = before.macro_f1, after.macro_f1
    if one is None or other is None or one == other:
        return None
    half = float(np.hypot((one[2] - one[1]) / 2, (other[2] - other[1]) / 2))
    estimate = other[0] - one[0]
    error = half / float(ndtri((1 + confidence) / 2))
    return Interval(estimate, estimate - half, estimate + half, error, float(np.inf))


def _how(before: Snapshot, after: Snapshot, same: bool, runs: ScoredRuns | None, compared: bool) -> str:
    """How sources were compared, and on which rows."""
    if not compared:
        return "No source has results in both revisions."
    if same:
        return "The students are the same."
    if runs:
        rows, old, new = runs.rows
        said = f"Paired by row on {rows:,} test rows."
        if (rows, rows) != (old, new):
            said = f"The test rows differ ({old:,} before, {new:,} after): compared on the {rows:,} in both, by row."
        golds = f" Gold labels differ on {runs.golds_differ:,} of them; each side is held against its own."
        return said + (golds if runs.golds_differ else "")
    said = "From the metrics files alone, not paired by row, so that intervals are wider than they need be."
    counts = [study.counted_rows.get("test") for study in (before, after)]
    if None not in counts and counts[0] != counts[1]:
        return f"{said} The scores are on different test rows ({counts[0]:,} before, {counts[1]:,} after)."
    if not same_file("data/prepared", before.revision, after.revision):
        return f"{said} Whether the test rows are the same is not known."
    return said
