"""`labelrisk cache compact`: the file of the call cache made smaller."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import add_cache

HELP = "make the file smaller; every answer stays, to the byte"
EXAMPLE = "labelrisk cache compact"


def arguments(parser: ArgumentParser) -> None:
    """Where answers are stored."""
    add_cache(parser)


def run(params: Path, cache: Path) -> None:
    """Pack all answers anew, those of older versions too."""
    from labelrisk.cache.compaction import compact
    from labelrisk.cache.location import shared_between_experiments
    from labelrisk.cache.stored_answers import reading
    from labelrisk.progress import bar

    path = shared_between_experiments(cache)
    with reading(path) as connection:  # also says whether the file is a cache at all
        (answers,) = connection.execute("SELECT count(*) FROM calls").fetchone()
    before = path.stat().st_size
    with bar(answers, "compact", "answer") as progress:
        compact(path, progress.update)
    print(f"{path}: {before / 1e6:,.1f} MB before, {path.stat().st_size / 1e6:,.1f} MB now; {answers:,} answers")
