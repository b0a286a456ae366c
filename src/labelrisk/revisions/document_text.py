"""Sections as text of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from labelrisk.printing import columns, printable
from labelrisk.revisions.document import Block, Grid, Line, Pictures, Section, Sentence
from labelrisk.text_tables import WIDTH

GAP = "  "
ITEM, INDENT = "  ", "      "
LEAST_NAME = 12


def text_of(sections: Sequence[Section]) -> str:
    """All sections, each with its title underlined."""
    return "\n\n".join(_section(section) for section in sections)


def _section(section: Section) -> str:
    blocks = [_block(block) for block in section.blocks]
    title = _cut(printable(section.title, kept=""), WIDTH)
    return "\n".join([title, "=" * columns(title), *(["\n\n".join(blocks)] if blocks else [])])


def _block(block: Block) -> str:
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Sentence):
        return filled(_joined(block.parts), "", "")
    if isinstance(block, Pictures):
        return "\n".join(filled(_joined([path]), ITEM, INDENT) for path in block.paths)
    return "\n".join(filled(_joined(line), ITEM, INDENT) for line in block.lines)


def filled(text: str, first: str, others: str) -> str:
    """A text broken into lines of at most 80 columns, also where its letters are wide or it has no spaces."""
    if text.isascii():
        return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=others)
    lines, line = [], first
    for word in text.split():
        for piece in _pieces(word, WIDTH - len(others) - 1):
            if columns(line) + columns(piece) > WIDTH:
                lines.append(line.rstrip())
                line = others
            line += piece
        line += " "
    return "\n".join([*lines, line.rstrip()])


def _pieces(word: str, room: int) -> list[str]:
    if columns(word) <= room:
        return [word]
    pieces = [""]
    for letter in word:
        if columns(pieces[-1]) + columns(letter) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _joined(parts: Line) -> str:
    return printable("".join(parts), kept="")


def _grid(grid: Grid) -> str:
    lines = [[printable(cell, kept="") for cell in line] for line in (grid.header, *grid.rows)]
    widths = [max(columns(line[column]) for line in lines) for column in range(1, len(grid.header))]
    room = max(WIDTH - sum(widths) - len(GAP) * len(widths), LEAST_NAME)
    names = [_cut(line[0], room) for line in lines]
    first = max(map(columns, names))
    laid_out = [
        GAP.join(
            [
                _padded(name, first),
                *(_padded(cell, size, right=True) for cell, size in zip(line[1:], widths, strict=True)),
            ]
        )
        for name, line in zip(names, lines, strict=True)
    ]
    return "\n".join([laid_out[0], "-" * columns(laid_out[0]), *laid_out[1:]])


def _padded(text: str, width: int, right: bool = False) -> str:
    space = " " * (width - columns(text))
    return space + text if right else text + space


def _cut(text: str, room: int) -> str:
    if columns(text) <= room:
        return text
    kept = ""
    for letter in text:
        if columns(kept) + columns(letter) > room - 2:
            break
        kept += letter
    return kept + ".."
