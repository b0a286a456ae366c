"""`labelrisk cache import`: answers of exports and of other caches."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from labelrisk.commands._options import add_cache
from labelrisk.errors import LabelRiskError

NAME = "import"
HELP = "store answers of exports and of other caches; what is there stays"
EXAMPLE = "labelrisk cache import answers.jsonl.gz\nlabelrisk cache import old.sqlite --cache new.sqlite"


def arguments(parser: ArgumentParser) -> None:
    """What to read, and where answers are stored."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".jsonl.gz, .jsonl or .sqlite")
    add_cache(parser)


def run(params: Path, files: Sequence[Path], cache: Path) -> None:
    """Store answers of exports and other caches; they don't count as spent here.

    Raises LabelRiskError at the end when some were wrong.
    """
    from labelrisk.cache.calls import CallCache
    from labelrisk.cache.imports import ImportCounts, check_importable, import_file
    from labelrisk.cache.location import shared_between_experiments

    path = shared_between_experiments(cache)
    for file in files:
        check_importable(file)
    calls = CallCache(path)
    wrong = 0
    try:
        for file in files:
            counts = ImportCounts()
            try:
                import_file(calls, file, counts)
            finally:
                print(f"{file}: {counts.added:,} added, {counts.there:,} already there, {counts.wrong:,} wrong")
            wrong += counts.wrong
    except sqlite3.Error as error:
        raise LabelRiskError(f"{path} can't store answers ({error}); those counted so far are stored") from None
    finally:
        calls.close()
    if wrong:
        raise LabelRiskError(f"{wrong:,} answers are not what they say and were skipped; all others are stored")
