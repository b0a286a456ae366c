"""The comment below a pull request: what its changes do to the study, as Markdown of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from labelrisk.revisions.changes import Changes
from labelrisk.revisions.document import quoted
from labelrisk.revisions.document_markdown import line_of, markdown_document
from labelrisk.revisions.sections import sections

WARNING = 1000  # characters


class State(NamedTuple):
    """What is known of the pipeline beside its results, in sentences; empty where all is well or nobody looked.

    study: its folder in the repository, empty for the top; uncommitted: whether the workspace differs from HEAD.
    """

    study: str
    uncommitted: bool
    out_of_date: str
    lacking: str


def review_markdown(changes: Changes, state: State, mark: str, image_base: str | None) -> str:
    """The whole comment; mark: its first line, by which it is found; image_base: address of the repository's top."""
    head = [mark, f"## {line_of([_headline(changes)])}", line_of([*_sides(changes, state)])]
    warnings = [f"**{line_of([said[:WARNING]])}**" for said in (state.out_of_date, state.lacking) if said]
    prefix = f"{state.study}/" if state.study else ""

    def address(path: str) -> str:
        return f"{(image_base or '').rstrip('/')}/{quote(prefix + path)}?raw=true"

    found = sections(changes, None if image_base is None else address)
    return markdown_document("\n\n".join([*head, *warnings]), found)


def _headline(changes: Changes) -> str:
    """What happened to the verdicts, in a few words."""
    both = [change for change in changes.verdicts if change.before and change.after and change.is_changed]
    worse = sum(change.is_worse for change in both)
    counts = {"worse": worse, "better": len(both) - worse}
    counts |= {"new": sum(change.before is None for change in changes.verdicts)}
    counts |= {"removed": sum(change.after is None for change in changes.verdicts)}
    said = [f"{count:,} {word}" for word, count in counts.items() if count]
    if not changes.verdicts:
        return "labelrisk: no results yet"
    return f"labelrisk: {'verdicts ' + ', '.join(said) if said else 'no verdict changed'}"


def _sides(changes: Changes, state: State) -> Iterator[str]:
    yield from ("From ", quoted(changes.before), " to ", quoted(changes.after))
    if state.uncommitted:
        yield ", with changes that are not committed"
    yield from ("; study ", quoted(state.study), ".") if state.study else (".",)
