"""`labelrisk cache export`: answers as a file for another machine."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import add_cache, add_whose_answers

HELP = "write answers as lines of JSON"
EXAMPLE = (
    "labelrisk cache export answers.jsonl.gz\nlabelrisk cache export gpt.jsonl.gz --annotator gpt --since 2026-01-01"
)


def arguments(parser: ArgumentParser) -> None:
    """Where to write, which answers, and where they are stored."""
    parser.add_argument("file", type=Path, metavar="FILE.jsonl.gz", help="where to write; .jsonl: as it is")
    parser.add_argument("--since", metavar="DATE", help="only those answered on that day (UTC) or later")
    add_whose_answers(parser)
    add_cache(parser)


def run(params: Path, file: Path, since: str | None, annotator: str | None, model: str | None, cache: Path) -> None:
    """Write answers to a file."""
    from labelrisk.cache.answer_query import Rules, second_of
    from labelrisk.cache.exports import export
    from labelrisk.cache.location import shared_between_experiments

    path = shared_between_experiments(cache)
    number = export(path, file, Rules(annotator, model, since=second_of(since, "--since")))
    print(f"{number:,} answers exported to {file}; `labelrisk cache import {file}` reads them")
