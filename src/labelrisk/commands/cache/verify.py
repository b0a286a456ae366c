"""`labelrisk cache verify`: every stored answer against its key."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import add_cache
from labelrisk.errors import LabelRiskError

HELP = "check every answer; changes nothing"
EXAMPLE = "labelrisk cache verify"
NAMED = 50  # wrong answers that are named; the others are counted


def arguments(parser: ArgumentParser) -> None:
    """Where answers are stored."""
    add_cache(parser)


def run(params: Path, cache: Path) -> None:
    """Check the file and each answer in it; change nothing.

    Raises LabelRiskError when anything is wrong.
    """
    from labelrisk.cache.location import shared_between_experiments
    from labelrisk.cache.stored_answers import reading
    from labelrisk.cache.verification import faults

    path = shared_between_experiments(cache)
    checked = wrong = 0
    with reading(path) as connection:
        damages = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
        for text in damages:
            print(f"SQLite: {text}")
        for answers, found in faults(connection):
            checked += answers
            for line in found[: max(0, NAMED - wrong)]:
                print(line)
            wrong += len(found)
    if wrong > NAMED:
        print(f"and {wrong - NAMED:,} more")
    print(f"{checked:,} answers checked, {wrong:,} wrong; {len(damages):,} damages that SQLite finds")
    if wrong or damages:
        raise LabelRiskError(
            f"{path} is not sound; keep it aside and run `labelrisk cache import` on it with --cache NEW, which leaves "
            "out what is wrong"
        )
