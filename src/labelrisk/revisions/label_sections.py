"""What is said of flipped labels: how many, in which split, from which class to which, and some of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labelrisk.comparison.table import percent
from labelrisk.revisions.document import NAME, TEXT, Block, Grid, Items, Line, Section, Sentence, quoted
from labelrisk.revisions.label_changes import Example, LabelChange, Side

DIRECTIONS = 20  # from one class to another, that are listed
NO_LABEL = "(no label)"
OF_GOLD = ["became right", "became wrong"]


def label_sections(labels: Sequence[LabelChange]) -> Iterator[Section]:
    """A section for each annotator whose labels changed, and one that names the others."""
    unchanged, unread = list[str](), list[str]()
    for change in labels:
        if not change.is_changed:
            unchanged.append(change.annotator)
        elif change.flips is None and change.before and change.after:
            unread.append(change.annotator)
        else:
            yield _section(change)
    lines: list[Line] = [["The same labels: ", quoted(", ".join(unchanged), TEXT), "."]] if unchanged else []
    lines += [["Flipped rows are not known: ", quoted(", ".join(unread), TEXT), "."]] if unread else []
    yield Section("Other labels", [Sentence(line) for line in lines])


def _section(change: LabelChange) -> Section:
    name = quoted(change.annotator)
    if change.before is None or change.after is None:
        one, word = (change.after, " is new: ") if change.before is None else (change.before, " left: ")
        about = f"{one.rows:,} rows, coverage {percent(one.coverage, 2)}" if one else "its labels are not known"
        return Section("Labels", [Sentence([name, word, about, "."])])
    both = sum(split.rows for split in change.splits)
    only = [
        f"{rows:,} rows have labels only {when}"
        for rows, when in ((change.only_before, "before"), (change.only_after, "after"))
        if rows
    ]
    said = ["Of ", name, f": {change.flipped:,} of {both:,} rows flipped; {_coverage(change.before, change.after)}"]
    blocks: list[Block] = [Sentence([*said, *(f"; {one}" for one in only), "."])]
    if change.flips:
        blocks.append(
            Grid(["split", "rows", "flipped", "with gold", *OF_GOLD], [_numbers(one) for one in change.splits])
        )
        rows = [
            [quoted(f"{_label(flip.before)} -> {_label(flip.after)}", 2 * NAME), *_counts(flip[2:])]
            for flip in change.flips[:DIRECTIONS]
        ]
        blocks.append(Grid(["from -> to", "rows", *OF_GOLD], rows))
        if rest := change.flips[DIRECTIONS:]:
            blocks.append(Sentence([f"{len(rest):,} other directions: {sum(flip.rows for flip in rest):,} rows."]))
        blocks.append(Items([_example(example) for example in change.examples]))
    return Section(
        f"Labels: {change.flipped:,} rows flipped", [block for block in blocks if _says(block)], is_detail=True
    )


def _says(block: Block) -> bool:
    return not isinstance(block, Items) or bool(block.lines)


def _coverage(before: Side, after: Side) -> str:
    shares = [percent(side.coverage, 2) for side in (before, after)]
    return f"coverage {shares[0]}" if shares[0] == shares[1] else f"coverage {shares[0]} -> {shares[1]}"


def _numbers(split: tuple[object, ...]) -> list[str]:
    return [str(split[0]), *_counts(split[1:])]


def _counts(numbers: Sequence[object]) -> list[str]:
    return [f"{number:,}" for number in numbers]


def _label(name: str | None) -> str:
    return NO_LABEL if name is None else str(quoted(name, NAME))


def _example(example: Example) -> Line:
    gold = ["; gold ", quoted(example.gold)] if example.gold is not None else []
    text = quoted(f"row {example.id}" if example.text is None else example.text, TEXT)
    return [
        f"{example.split}: ",
        quoted(_label(example.before)),
        " -> ",
        quoted(_label(example.after)),
        *gold,
        ": ",
        text,
    ]
