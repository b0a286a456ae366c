"""The sections that say what changed, from the gravest to the least: verdicts, students, params, codebooks, labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from labelrisk.comparison.table import interval, percent
from labelrisk.revisions.asked_sections import asked_sections
from labelrisk.revisions.changes import Changes
from labelrisk.revisions.document import (
    ARROW,
    NOTHING,
    TEXT,
    Block,
    Grid,
    Items,
    Line,
    Pictures,
    Section,
    Sentence,
    quoted,
)
from labelrisk.revisions.label_sections import label_sections
from labelrisk.revisions.revision import Unread
from labelrisk.revisions.score_changes import ScoreChange
from labelrisk.revisions.snapshot import Source
from labelrisk.revisions.verdict_changes import VerdictChange


def sections(changes: Changes, addresses: Callable[[str], str] | None = None) -> list[Section]:
    """All sections that have anything to say; the verdicts are always there.

    addresses: of a picture by its path, where a browser finds it.
    """
    found = [_verdicts(changes), _students(changes), _gaps(changes), *asked_sections(changes)]
    found += [*label_sections(changes.labels), _pictures(changes, addresses)]
    found += [_costs(changes), Section("Not read", [Items([*map(_unread, changes.unread)])])]
    return [section for section in found if section.blocks and section.blocks != [Items([])]]


def _verdicts(changes: Changes) -> Section:
    changed = [change for change in changes.verdicts if change.is_changed]
    same = Counter(change.after.verdict for change in changes.verdicts if change.after and not change.is_changed)
    kept = ", ".join(f"{count:,} {word}" for word, count in sorted(same.items()))
    if not changes.verdicts:
        return Section("Verdicts", [Sentence(["Neither side has results; `labelrisk repro` makes them."])])
    if not any(change.before for change in changes.verdicts):
        first = [Sentence(["There are no results before: these are the first."])]
        return Section(f"Verdicts: {len(changed):,} sources", [*first, Items([*map(_verdict, changed)])])
    title = f"Verdicts: {len(changed):,} changed" if changed else "Verdicts: none changed"
    blocks: list[Block] = [Items([*map(_verdict, changed)])] if changed else []
    return Section(title, [*blocks, *([Sentence([f"The same: {kept}."])] if kept else [])])


def _verdict(change: VerdictChange) -> Line:
    old, new, name = change.before, change.after, quoted(change.source)
    if new is None:
        return [name, " left the study; it was ", quoted(old.verdict if old else ""), "."]
    because = [" (", quoted(new.because, TEXT), ")"]
    if old is None:
        return [name, " is new: ", quoted(new.verdict), _of_gap(new), *because]
    word = "worse: " if change.is_worse else "better: "
    return [
        word,
        name,
        " was ",
        quoted(old.verdict),
        _of_gap(old),
        ", is ",
        quoted(new.verdict),
        _of_gap(new),
        *because,
    ]


def _of_gap(source: Source) -> str:
    return f", {interval(*source.gap)}" if source.gap else ""


def _students(changes: Changes) -> Section:
    scores = changes.scores
    compared = [change for change in scores.sources if change.difference or change.kind == "unknown"]
    unchanged = sum(change.kind == "unchanged" for change in scores.sources)
    if not any(change.kind not in ("added", "removed") for change in scores.sources):
        return Section("", [])
    header = ["macro-F1 of students", "before", "after", f"change [{100 * scores.confidence:.4g} %]", "decided"]
    grid = [Grid(header, [_score(change) for change in sorted(compared, key=_surest)])] if compared else []
    same = f" {unchanged:,} of {len(scores.sources):,} sources have the same students." if unchanged else ""
    margin = f"{100 * scores.margin:g}"
    how = f" Points (x100) over test rows and seeds; decided with Holm's correction; equivalent: within {margin}."
    return Section("Students", [*grid, Sentence([scores.said + same + (how if compared else "")])])


def _score(change: ScoreChange) -> Line:
    scores = (percent(score, 2) for score in (change.before, change.after))
    difference = interval(*change.difference) if change.difference else NOTHING
    return [quoted(change.source), *scores, difference, change.decision or NOTHING]


def _surest(change: ScoreChange) -> tuple[int, float]:
    order = ("worse", "better", "not decided", "equivalent")
    place = order.index(change.decision) if change.decision in order else len(order)
    return place, -abs(change.difference[0]) if change.difference else 0.0


def _gaps(changes: Changes) -> Section:
    rows = [
        [
            quoted(one.source),
            *(interval(*side.gap) if side and side.gap else NOTHING for side in (one.before, one.after)),
        ]
        for one in changes.verdicts
        if one.before and (one.before.gap if one.before else None) != (one.after.gap if one.after else None)
    ]
    level = f"[{100 * changes.scores.confidence:.4g} %]"
    header = ["gap to the reference", f"before {level}", f"after {level}"]
    return Section("Gaps to the reference", [Grid(header, rows)] if rows else [])


def _costs(changes: Changes) -> Section:
    rows: list[Line] = []
    for change in changes.labels:
        sides = (change.before, change.after)
        if not change.is_changed or not any(side and side.requests for side in sides):
            continue
        requests = ARROW.join(NOTHING if not side or side.requests is None else f"{side.requests:,}" for side in sides)
        money = ARROW.join(NOTHING if not side or side.cost is None else f"{side.cost:.4g}" for side in sides)
        rows.append([quoted(change.annotator), requests, money])
    gold = [
        [quoted(one.source), f"{one.before.gold_labels:,}{ARROW}{one.after.gold_labels:,}"]
        for one in changes.verdicts
        if one.before
        and one.after
        and None not in (one.before.gold_labels, one.after.gold_labels)
        and one.before.gold_labels != one.after.gold_labels
    ]
    blocks = [Grid(["labels of", "requests", "cost"], rows)] if rows else []
    return Section("Costs", [*blocks, *([Grid(["source", "gold labels spent"], gold)] if gold else [])])


def _pictures(changes: Changes, addresses: Callable[[str], str] | None) -> Section:
    found = changes.pictures
    paths = [quoted(one.path, 200) for one in found]
    where = None if addresses is None else [addresses(one.path) for one in found]
    pictures = Pictures(paths, where, [not one.was_there for one in found])
    return Section(f"Pictures: {len(found):,} changed", [pictures] if found else [])


def _unread(found: Unread) -> Line:
    named = ["At ", quoted(found.revision), ": ", quoted(", ".join(found.paths), 2 * TEXT)]
    reasons = [" (", quoted("; ".join(found.reasons), TEXT), ")"]
    return [*named, *reasons, f"; `{found.fetch}` may help." if found.fetch else "."]
