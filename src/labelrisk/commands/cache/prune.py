"""`labelrisk cache prune`: answers removed by rule, with the labels that were made of them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from labelrisk.commands._options import add_cache, add_whose_answers
from labelrisk.errors import LabelRiskError

HELP = "remove the answers for which all rules hold; says which without --yes"
EXAMPLE = "labelrisk cache prune --model gpt-4o --before 2026-01-01\nlabelrisk cache prune --annotator gpt --yes"


def arguments(parser: ArgumentParser) -> None:
    """Which answers, whether to do it, and where they are stored."""
    parser.add_argument("--endpoint", metavar="URL", help="only those of this endpoint, as `cache show` names it")
    parser.add_argument("--before", metavar="DATE", help="only those answered before that day (UTC)")
    parser.add_argument("--yes", action="store_true", help="do it; asking again will cost again")
    add_whose_answers(parser)
    add_cache(parser)


def run(
    params: Path,
    endpoint: str | None,
    before: str | None,
    yes: bool,
    annotator: str | None,
    model: str | None,
    cache: Path,
) -> None:
    """Remove the answers for which all rules hold, or only say how many they are; what was spent stays counted.

    Raises LabelRiskError without a rule, and while another process uses the cache.
    """
    from labelrisk.cache.answer_query import Rules, second_of
    from labelrisk.cache.location import shared_between_experiments
    from labelrisk.cache.pruning import answers_meant, remove_answers
    from labelrisk.cache.stored_answers import reading
    from labelrisk.labels.removal import forget_labels

    path = shared_between_experiments(cache)
    rules = Rules(annotator, model, endpoint.rstrip("/") if endpoint else None, before=second_of(before, "--before"))
    if rules == Rules():
        raise LabelRiskError("give prune a rule: --annotator, --model, --endpoint or --before")
    with reading(path) as connection:  # also says whether the file is a cache at all
        text, annotators = answers_meant(connection, rules)
    if not annotators:
        print("No answer is meant by these rules; see `labelrisk cache show`.")
    elif not yes:
        print(f"Would remove {text}.\nNothing was changed; --yes removes them, and asking again costs again.")
    else:
        remove_answers(
            path, rules, lambda calls, names: forget_labels(path.parent / "labels", names, calls), _print_removed
        )


def _print_removed(text: str) -> None:
    print(f"Removed {text}; what was spent stays counted, and so do labels that DVC keeps of other revisions.")
