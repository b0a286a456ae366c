"""What is said of a new study: the columns and why, what the texts hold, what was written, and what to do next."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from labelrisk.errors import shown
from labelrisk.new_study.columns import GOLD, TEXT, Column, Columns
from labelrisk.new_study.contents import Contents
from labelrisk.new_study.params_text import CAPS, CODEBOOK, MOST_EMBEDDED
from labelrisk.new_study.study_files import NewStudy
from labelrisk.text_tables import WIDTH, text_table

LISTED = 12  # classes in the table


def report(study: NewStudy, folder: Path, columns: Columns, contents: Contents, done: Sequence[str]) -> str:
    """All of it, in 80 columns; folder: as the user named it; done: what was set up in the repository."""
    parts = [
        _lines(_of_columns(columns)),
        _classes(contents.classes),
        _lines([_counts(contents), *_splits(columns, contents)]),
        _lines([_written(study, folder), *done]),
    ]
    if notes := [*_notes(columns, contents)]:
        parts.append(_lines([f"Note: {note}" for note in notes]))
    parts.append(_next(folder, contents))
    return "\n\n".join(parts)


def _lines(sentences: Sequence[str]) -> str:
    return "\n".join(
        textwrap.fill(f"{one}.", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        for one in sentences
    )


def _of_columns(columns: Columns) -> list[str]:
    return [*_of_column("Texts", TEXT, columns.text), *_of_column("Gold", GOLD, columns.gold)]


def _of_column(what: str, option: str, column: Column) -> list[str]:
    said = [f"{what}: the column '{shown(column.name)}' ({column.why})"]
    if column.others:
        others = " or ".join(f"`{option} {shlex.quote(shown(name))}`" for name in column.others[:3])
        said.append(f"  It could as well be another: to take that, remove the folder and run again with {others}")
    return said


def _classes(classes: Mapping[str, int]) -> str:
    most = sorted(classes.items(), key=lambda item: -item[1])
    rows = [(name, f"{count:,}") for name, count in most[:LISTED]]
    if more := most[LISTED:]:
        rows.append((f"{len(more)} more", f"{sum(count for _, count in more):,}"))
    return text_table((f"{len(classes)} classes", "rows"), rows)


def _counts(contents: Contents) -> str:
    copies = f"{contents.duplicates:,} of them copies of another one, which are left out"
    return (
        f"{contents.rows:,} rows, {copies if contents.duplicates else 'no text twice'}; {contents.without_gold:,} "
        "without a gold label"
    )


def _splits(columns: Columns, contents: Contents) -> list[str]:
    if not contents.splits:
        return []
    drawn = f"as the column '{shown(columns.split)}' says" if columns.split else "drawn by classes (prepare)"
    counts = ", ".join(f"{name} {rows:,}" for name, rows in contents.splits.items())
    capped = [name for name, rows in contents.splits.items() if rows > CAPS[name]]
    said = [f"Splits, {drawn}: {counts}"]
    if capped:
        first = ", ".join(f"{name} {CAPS[name]:,}" for name in capped)
        said.append(f"To begin with, fewer are used ({first}): prepare in params.yaml holds these caps")
    return said


def _written(study: NewStudy, folder: Path) -> str:
    where = f"{shown(folder, 300)}: dvc.yaml, params.yaml, {CODEBOOK} and what git and DVC need"
    if study.is_copied:
        add = f"`dvc add {shlex.quote(str(study.corpus_path))}` there"
        return (
            f"Written to {where}; the texts were copied there, hidden from git (to share them, and for --temp: {add})"
        )
    return f"Written to {where}; the texts stay at {shown(study.corpus_path, 300)}"


def _notes(columns: Columns, contents: Contents) -> list[str]:
    notes = [f"a run would stop here: {contents.problem}"] if contents.problem else []
    notes += [columns.note] if columns.note else []
    if columns.labelled:
        notes.append(
            f"the column '{shown(columns.labelled[0])}'{_more(columns.labelled)} labels of a model, it seems: "
            "params.yaml shows how they become an annotator"
        )
    if contents.lacks_gold:
        notes.append(
            "not every train row has a gold label, so that no source buys gold for doubtful rows; params.yaml says "
            "what can be done instead"
        )
    if len(contents.classes) > MOST_EMBEDDED:
        notes.append(
            f"the built-in annotator tells {MOST_EMBEDDED} classes at most and is left out; params.yaml shows how an "
            "LLM or a file of labels is added"
        )
    return notes


def _more(names: Sequence[str]) -> str:
    return " holds" if len(names) == 1 else f" and {len(names) - 1} more hold"


def _next(folder: Path, contents: Contents) -> str:
    commands = [f"cd {shlex.quote(str(folder))} && labelrisk check", "labelrisk repro", "labelrisk table"]
    mend = "mend what the note says, " if contents.problem else ""
    first = f"{mend}say in {CODEBOOK} what each label means, commit the folder, then"
    return _lines([f"Next: {first}"]).removesuffix(".") + ":\n" + "\n".join(f"  {command}" for command in commands)
