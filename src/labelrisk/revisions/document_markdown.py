"""Sections as Markdown of bounded size, in which others' words do nothing."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.revisions.document import Block, Items, Line, Pictures, Quoted, Section, Sentence
from labelrisk.text_tables import code_of, markdown_of, plain_markdown_of

MOST_BYTES = 60_000  # of a comment; GitHub takes 65,536 characters
SECTION_BYTES = 12_000
SHOWN, LISTED = 2, 30  # pictures that are shown, and that are named
MORE = "... and {:,} more."


def markdown_document(head: str, sections: Sequence[Section], most: int = MOST_BYTES) -> str:
    """The head, then all sections as far as there is room; what is left out is counted."""
    text, left_out = head, 0
    for place, section in enumerate(sections):
        shown = f"\n\n{_section(section)}"
        if _bytes(text) + _bytes(shown) > most - 200:
            left_out = len(sections) - place
            break
        text += shown
    return (
        text + (f"\n\n{left_out:,} more sections are left out; `labelrisk diff` shows them." if left_out else "") + "\n"
    )


def _section(section: Section) -> str:
    """Its blocks, cut row by row where they are long."""
    room, blocks = SECTION_BYTES, []
    for block in section.blocks:
        blocks.append(_block(block, room))
        room = max(room - _bytes(blocks[-1]), 0)
    if section.is_detail:
        title = f"<details><summary>{_as_html(section.title)}</summary>"
        return "\n\n".join([title, *blocks, "</details>"])
    return "\n\n".join([f"### {line_of([section.title])}", *blocks])


def _block(block: Block, room: int) -> str:
    if isinstance(block, Sentence):
        return line_of(block.parts)
    if isinstance(block, Pictures):
        return _pictures(block)
    if isinstance(block, Items):
        lines = [f"- {line_of(line)}" for line in block.lines]
        kept = _that_fit(lines, room)
        return "\n".join([*lines[:kept], *([f"- {MORE.format(len(lines) - kept)}"] if kept < len(lines) else [])])
    rule = ["---", *["---:"] * (len(block.header) - 1)]
    head = [_row([line_of([cell]) for cell in block.header]), _row(rule)]
    rows = [_row([line_of([cell]) for cell in row]) for row in block.rows]
    kept = _that_fit(rows, room)
    more = ["", MORE.format(len(rows) - kept)] if kept < len(rows) else []
    return "\n".join([*head, *rows[:kept], *more])


def _pictures(block: Pictures) -> str:
    """The first as they are, the others as links; without addresses all by their names."""
    names = [_in_brackets(path) if block.addresses else code_of(path) for path in block.paths[:LISTED]]
    names = [name + " (new)" * is_new for name, is_new in zip(names, block.is_new, strict=False)]
    shown, lines = list[str](), [f"- {name}" for name in names]
    if block.addresses is not None:
        linked = [f"[{name}]({address})" for name, address in zip(names, block.addresses, strict=False)]
        shown, lines = [f"!{one}" for one in linked[:SHOWN]], [f"- {one}" for one in linked[SHOWN:]]
    more = [f"- {MORE.format(len(block.paths) - LISTED)}"] if len(block.paths) > LISTED else []
    return "\n\n".join([*shown, *(["\n".join([*lines, *more])] if lines else [])])


def _in_brackets(name: str) -> str:
    """A name as the text of a link, which a bracket would end."""
    return plain_markdown_of(name).replace("[", "&#91;").replace("]", "&#93;")


def line_of(parts: Line) -> str:
    """Parts on one line: others' words as code, ours as they are."""
    return "".join(code_of(part) if isinstance(part, Quoted) else markdown_of(part) for part in parts)


def _as_html(title: str) -> str:
    """A title of ours inside HTML, where Markdown is not looked for."""
    return title.replace("&", "&amp;").replace("<", "&lt;")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _that_fit(lines: Sequence[str], room: int) -> int:
    """How many of the first lines have room, at least one."""
    taken = 0
    for place, line in enumerate(lines):
        taken += _bytes(line) + 1
        if taken > room and place:
            return place
    return len(lines)


def _bytes(text: str) -> int:
    return len(text.encode())
