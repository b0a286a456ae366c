"""What is said of changes in what was asked for: params, codebooks, and prompts beside these."""

from __future__ import annotations

from collections.abc import Iterator

from labelrisk.revisions.changes import Changes
from labelrisk.revisions.document import ARROW, NOTHING, TEXT, Items, Line, Section, Sentence, quoted, quoted_apart


def asked_sections(changes: Changes) -> Iterator[Section]:
    """Params by key, each codebook, and prompts by annotator; empty ones have no blocks."""
    yield _params(changes)
    yield from _codebooks(changes)
    yield _prompts(changes)


def _params(changes: Changes) -> Section:
    rows: list[Line] = []
    for change in changes.params:
        key = quoted(change.key)
        if change.before is None:
            rows.append([key, " added: ", quoted(change.after, TEXT)])
        elif change.after is None:
            rows.append([key, " removed: ", quoted(change.before, TEXT)])
        else:
            rows.append([key, ": ", quoted(change.before, TEXT), ARROW, quoted(change.after, TEXT)])
    return Section(f"Params: {len(rows):,} changed", [Items(rows)] if rows else [])


def _codebooks(changes: Changes) -> Iterator[Section]:
    for change in changes.codebooks:
        lines: list[Line] = []
        lines += _was_and_is("the task", *change.task) if change.task else []
        lines += [["label added: ", quoted(name), ", ", quoted(of, TEXT)] for name, of in change.added.items()]
        lines += [["label removed: ", quoted(name), ", ", quoted(of, TEXT)] for name, of in change.removed.items()]
        for name, (old, new) in change.definitions.items():
            lines += _was_and_is(quoted(name), old, new)
        lines += [["edge case added: ", quoted(case, TEXT)] for case in change.cases_added]
        lines += [["edge case removed: ", quoted(case, TEXT)] for case in change.cases_removed]
        lines += [["the order of the labels changed"]] if change.is_reordered else []
        readers = ["Of ", quoted(change.path), ", read by ", quoted(", ".join(change.readers)), "."]
        yield Section(f"Codebook: {change.parts:,} changed", [Sentence(readers), Items(lines)])


def _was_and_is(name: str, before: str, after: str) -> list[Line]:
    old, new = quoted_apart(before, after)
    return [[name, " was: ", old], [name, " is: ", new]]


def _prompts(changes: Changes) -> Section:
    lines: list[Line] = []
    for change in changes.prompts:
        parts: list[str] = [quoted(change.annotator), " is asked otherwise: "]
        for setting in change.settings:
            sides = (NOTHING if side is None else quoted(side) for side in (setting.before, setting.after))
            old, new = sides
            parts += [quoted(setting.key), " ", old, ARROW, new, "; "]
        if change.instruction:
            parts += ["its instruction ends ", quoted(change.instruction[1], TEXT), "; "]
        if change.codebook_parts:
            parts += [f"its codebook, in {change.codebook_parts:,} part{'s' * (change.codebook_parts != 1)}; "]
        lines.append([*parts[:-1], parts[-1].removesuffix("; ") + "."])
    return Section("Prompts", [Items(lines)] if lines else [])
