"""Answers of a call cache written to a file, for another machine or another program."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from labelrisk.cache.answer_query import Rules
from labelrisk.cache.export_lines import line_of
from labelrisk.cache.parts import of_parts
from labelrisk.cache.redaction import of_environment
from labelrisk.cache.stored_answers import AnswerRow, fault, reading
from labelrisk.errors import LabelRiskError
from labelrisk.files import written_aside

LEVEL = 6  # of gzip


def export(path: Path, file: Path, rules: Rules) -> int:
    """Write the answers that the rules mean to a file that must not exist yet; return how many.

    Raises LabelRiskError when it can't be written, when there is nothing to write, and for unreadable answers.
    """
    if file.exists():
        raise LabelRiskError(f"{file} exists; name another file or move it away")
    if not file.name.endswith((".jsonl.gz", ".jsonl")):
        raise LabelRiskError(f"{file} would hold lines of JSON; give a name that ends in .jsonl.gz or .jsonl")
    written, lines = 0, partial(_lines, path, file.suffix == ".gz")
    try:
        with reading(path) as connection, written_aside(file) as temporary:
            with temporary.open("wb") as out:
                for number, content in of_parts(connection, rules, lines):
                    out.write(content)
                    written += number
            if not written:
                raise LabelRiskError(f"{path} has no such answers; see `labelrisk cache show`")
    except OSError as error:
        raise LabelRiskError(f"{file} can't be written ({error.strerror or error}); nothing was exported") from None
    return written


def _lines(path: Path, packed: bool, rows: Iterator[AnswerRow]) -> tuple[int, bytes]:
    """How many answers these are, and their lines, packed by gzip or not.

    Raises LabelRiskError for one that is wrong.
    """
    lines, redaction = [], of_environment()
    for row in rows:
        if reason := fault(row):
            raise LabelRiskError(f"{path} has a wrong answer (row {row.id}: {reason}); run `labelrisk cache verify`")
        lines.append(line_of(row, redaction))
    content = "".join(lines).encode()
    return len(lines), gzip.compress(content, LEVEL) if packed else content
