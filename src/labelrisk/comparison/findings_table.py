"""Findings as text: one study with its reasons, or several studies side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labelrisk.text_tables import WIDTH, ascii_of, cut, markdown_of, text_table

LEGEND = "Numbers are x100, with their intervals; %: of the gap to gold."
SHORT_WORDS = {"holds": "yes", "does not hold": "no", "not decided here": "?"}
SHORT_LEGEND = "yes: holds; no: does not hold; ?: not decided here. "
OF_GAP = {"consistency_gold_recovers", "ensemble_closes_gap"}  # claims whose number is a share
RECIPE = ["recipe", "batch, rate", "steps, seeds", "sources converged"]
TITLE = 12  # characters of a column's name that are kept at least
Contents = Mapping[str, Any]  # of one findings.json
Cell = Callable[[str, Mapping[str, Any]], str]  # of a claim and what was found


class Column(NamedTuple):
    """The findings on one annotator in one file."""

    name: str
    recipe: Mapping[str, Any]
    claims: Mapping[str, Mapping[str, Any]]


def findings_text(files: Mapping[str, Contents], width: int = WIDTH) -> str:
    """Lay out files, by name, as plain ASCII of at most `width` columns; of a single file each finding has its reason.

    A column for each annotator; in blocks of as many as fit.  Cells are as full as lets all of them stand in one block.
    """
    columns = _columns(files)
    names = _names(columns)
    room = width - max(map(len, names))
    for cell in (_full, _with_interval, _with_estimate):
        cells = [_cells(column, names, cell) for column in columns]
        sizes = [max(map(len, lines)) + 2 for lines in cells]
        titles = [cut(column.name, max(size - 2, TITLE)) for column, size in zip(columns, sizes, strict=True)]
        sizes = [max(size, len(title) + 2) for size, title in zip(sizes, titles, strict=True)]
        if sum(sizes) <= room:
            break
    parts = [
        text_table(
            ["claim", *(titles[place] for place in block)],
            [[name, *(cells[place][row] for place in block)] for row, name in enumerate(names)],
            width,
        )
        for block in _blocks(sizes, room)
    ]
    legend = ("" if cell is _full else SHORT_LEGEND) + LEGEND
    reasons = [_reasons(column, len(columns) > 1, width) for column in columns] if len(files) == 1 else []
    return "\n\n".join([*parts, *reasons, "\n".join(textwrap.wrap(legend, width))])


def findings_markdown(files: Mapping[str, Contents]) -> str:
    """Lay out files, by name, as a Markdown table with a column for each annotator, and of one file the reasons."""
    columns = _columns(files)
    names = _names(columns)
    cells = [_cells(column, names, _full) for column in columns]
    lines = [["claim", *(column.name for column in columns)], ["---", *["---:"] * len(columns)]]
    lines += [[name, *(lines[row] for lines in cells)] for row, name in enumerate(names)]
    table = "\n".join(f"| {' | '.join(map(markdown_of, line))} |" for line in lines)
    reasons = [
        markdown_of(f"- {column.name}, {name}: {found['because']}")
        for column in columns
        for name, found in column.claims.items()
        if len(files) == 1
    ]
    return "\n\n".join([table, *(["\n".join(reasons)] if reasons else []), LEGEND])


def _columns(files: Mapping[str, Contents]) -> list[Column]:
    """One per file and annotator; called by the annotator where there is one file, and by both where that is needed."""
    return [
        Column(
            annotator if len(files) == 1 else name if len(content["claims"]) == 1 else f"{name}:{annotator}",
            content["recipe"],
            claims,
        )
        for name, content in files.items()
        for annotator, claims in content["claims"].items()
    ] or [Column("no annotator", {}, {})]


def _names(columns: Sequence[Column]) -> list[str]:
    """The names of the rows: the recipe, and the claims of all columns in their order."""
    return RECIPE + list(dict.fromkeys(name for column in columns for name in column.claims))


def _cells(column: Column, names: Sequence[str], cell: Cell) -> list[str]:
    recipe = _recipe(column.recipe) if column.recipe else ["-"] * len(RECIPE)
    return recipe + [cell(name, column.claims[name]) if name in column.claims else "-" for name in names[len(RECIPE) :]]


def _recipe(recipe: Mapping[str, Any]) -> list[str]:
    steps = [number for number in recipe["steps"].values() if number is not None]
    mean = f"{sum(steps) / len(steps):.0f}" if steps else "-"
    return [
        recipe["preset"] or f"by {recipe['budget']}",
        f"{recipe['batch_size']}, {recipe['learning_rate']:g}",
        f"{mean}, {recipe['seeds']}",
        f"{sum(recipe['converged'].values())} of {len(recipe['converged'])}",
    ]


def _full(name: str, found: Mapping[str, Any]) -> str:
    return f"{found['finding']}{_numbers(name, found)}"


def _with_interval(name: str, found: Mapping[str, Any]) -> str:
    return f"{SHORT_WORDS[found['finding']]}{_numbers(name, found)}"


def _with_estimate(name: str, found: Mapping[str, Any]) -> str:
    return f"{SHORT_WORDS[found['finding']]}{_numbers(name, found).partition(' [')[0]}"


def _numbers(name: str, found: Mapping[str, Any]) -> str:
    if found["estimate"] is None:
        return ""
    form, unit = ("z.0f", "%") if name in OF_GAP else ("+z.1f", "")
    estimate, low, high = (
        "-" if found[key] is None else f"{100 * found[key]:{form}}" for key in ("estimate", "low", "high")
    )
    return f" {estimate}{unit} [{low}, {high}]"


def _blocks(sizes: Sequence[int], room: int) -> Iterator[list[int]]:
    """The positions of columns that stand side by side: as many as fit, at least one."""
    block: list[int] = []
    for place, size in enumerate(sizes):
        if block and sum(sizes[other] for other in block) + size > room:
            yield block
            block = []
        block.append(place)
    yield block


def _reasons(column: Column, is_titled: bool, width: int) -> str:
    lines = [ascii_of(f"{column.name}:")] if is_titled else []
    for name, found in column.claims.items():
        lines += textwrap.wrap(ascii_of(f"{name}: {found['because']}"), width, subsequent_indent="  ")
    return "\n".join(lines)
