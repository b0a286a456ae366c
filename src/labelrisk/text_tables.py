"""Tables for a terminal: names on the left, numbers flush right, never wider than it; and texts as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from labelrisk.printing import printable

WIDTH = 80
# Of no width.  GitHub and GitLab look for names and numbers to link in the page that Markdown has become, where "&#64;"
# is an "@" again: only what parts a mark from what it would link helps there, and it does so in Markdown, too.
PARTED = "&#8203;"
ESCAPED = {"&": "&amp;", "\\": "&#92;", "<": "&lt;", ">": "&gt;", "[": "&#91;", "]": "]\\", "|": "\\|", "`": "&#96;"}
ESCAPED |= {"*": "&#42;", "_": "&#95;", "~": "&#126;", "$": "&#36;"}
DIGITS = 6  # hexadecimal ones, that are not yet taken for a commit
SPECIAL = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-fA-F]{7,}(?![0-9A-Za-z])"  # commits
    r"|&(?=[#\w])"  # entities; epics
    r"|\\(?=[!-/:-@\[-`{-~])"  # escapes
    r"|<|^[>\[]"  # HTML; a quotation; a box to tick
    r"|^/(?=\w)"  # what GitLab does for who writes /close
    r"|\](?=\()"  # links and pictures
    r"|[|~$]"  # a cell's end; struck out, labels; mathematics, snippets
    r'|[@#]|[!%^](?=[\w"])'  # persons; issues, headings; merge requests, milestones, alerts
    r"|:(?=//|[\w+-]+:)|(?i:www(?=\.)|GH-(?=\d)|(?:mailto|xmpp)(?=:))"  # addresses; pictures of emoji; issues
)
LIST = re.compile(r"^(?:[-+]|[0-9]{1,9}[.)])(?=\s)")  # which lines of ours may be
MARKUP = re.compile(r"[`*]|(?<![^\W_])_|_(?![^\W_])")  # code and emphasis, which sentences of ours may have


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int = WIDTH, least_name: int = 0) -> str:
    """Lay out rows of cells whose first one is a name, with a rule below the header.

    Names that don't fit into `width` are cut in the middle, to no less than `least_name` characters.
    """
    lines = [[ascii_of(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(1, len(header))]
    room = max(width - sum(widths) - 2 * len(widths), least_name)
    names = [cut(line[0], room) for line in lines]
    first = max(map(len, names))
    laid_out = [
        "  ".join([name.ljust(first), *(cell.rjust(size) for cell, size in zip(line[1:], widths, strict=True))])
        for name, line in zip(names, lines, strict=True)
    ]
    return "\n".join([laid_out[0], "-" * len(laid_out[0]), *laid_out[1:]])


def cut(name: str, room: int) -> str:
    """A name in ASCII, cut in the middle where it is longer than `room`."""
    name = ascii_of(name)
    if len(name) <= room:
        return name
    tail = (room - 2) // 2
    return f"{name[: room - 2 - tail]}..{name[len(name) - tail :]}"


def ascii_of(text: str) -> str:
    """A text in ASCII on one line: each character takes one column, and controls are escapes."""
    return printable(text.encode("ascii", "replace").decode(), kept="")


def markdown_of(text: str) -> str:
    """A text on one line as it may stand in a sentence, a cell or an item of Markdown: nothing but code and emphasis.

    It calls nobody, leads nowhere, and ends nothing that is around it, but a code that is open.
    """
    return SPECIAL.sub(_harmless, printable(text, kept=""))


def plain_markdown_of(text: str) -> str:
    """A text on one line that Markdown shows as it is, whatever is around it."""
    escaped = LIST.sub(_harmless, markdown_of(text))
    return MARKUP.sub(lambda found: ESCAPED[found[0]], escaped)


def code_of(text: str) -> str:
    """A name or a text on one line as code, in which Markdown sees nothing, unless it holds what would end the code."""
    text = printable(text, kept="")
    if not text.strip():
        return "(blank)"
    return plain_markdown_of(text) if text != text.strip() or {"`", "|"} & set(text) else f"`{text}`"


def _harmless(found: re.Match[str]) -> str:
    mark = found[0]
    if len(mark) > DIGITS:
        return PARTED.join(mark[start : start + DIGITS] for start in range(0, len(mark), DIGITS))
    return ESCAPED.get(mark, mark) + (PARTED if mark not in ESCAPED or mark in "&~$" else "")
