"""`labelrisk cache show`: what is in the call cache, as tables of at most 80 columns or as JSON."""

from __future__ import annotations

import json
import textwrap
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelrisk.commands._options import add_cache
from labelrisk.text_tables import WIDTH, cut, text_table

HELP = "answers, tokens and cost by annotator and by day, what was spent, by whom"
EXAMPLE = "labelrisk cache show\nlabelrisk cache show --json"
DAYS = 14  # that the tables show
LEGEND = (
    "Days are UTC's. A number with + is at least that: some answers don't say. Imported answers are not spent here."
)
Cells = Sequence[str]
Counts = Mapping[str, Any]  # an entry of the inventory


def arguments(parser: ArgumentParser) -> None:
    """The form, and where answers are stored."""
    parser.add_argument("--json", dest="as_json", action="store_true", help="all numbers, as JSON")
    add_cache(parser)


def run(params: Path, as_json: bool, cache: Path) -> None:
    """Print what is in a cache."""
    from labelrisk.cache.inventory import inventory
    from labelrisk.cache.location import shared_between_experiments
    from labelrisk.cache.stored_answers import reading

    path = shared_between_experiments(cache)
    with reading(path) as connection:
        found = inventory(connection, path)
    print(json.dumps(found, indent=2) if as_json else _tables(found))


def _tables(found: Mapping[str, Any]) -> str:
    """An inventory as plain text of at most WIDTH columns."""
    header = ("answers", "input", "output", "cost")
    answers = [
        (_name(group), [*_numbers(group), group["first"][:10], group["last"][:10]]) for group in found["answers"]
    ]
    parts = [
        f"{found['cache']}: {found['bytes'] / 1e6:,.1f} MB; "
        f"remembered labels beside it: {found['bytes_of_remembered_labels'] / 1e6:,.1f} MB",
        _names_above_numbers("annotator: model at endpoint", (*header, "first", "last"), answers),
    ]
    if not answers:
        return f"{parts[0]}\n\nNo answers yet."
    days = [[day["day"], *_numbers(day)] for day in found["days"][-DAYS:]]
    parts.append(text_table([f"day (the last {DAYS} with answers)" if len(days) == DAYS else "day", *header], days))
    if found["spent"]:
        spent = [
            [of["annotator"], f"{of['requests']:,}", _cost_at_most(of), f"{of['lost']:,}"] for of in found["spent"]
        ]
        parts.append(text_table(["spent here", "requests", "cost at most", "lost in flight"], spent))
    parts += [_claim_text(claim) for claim in found["claims"]]
    parts += [_batch_text(batch) for batch in found["batches"]]
    return "\n\n".join([*parts, "\n".join(textwrap.wrap(LEGEND, WIDTH))])


def _claim_text(claim: Counts) -> str:
    from labelrisk.cache.schema import BATCH_OWNER

    who = claim["owner"] if claim["owner"].startswith(BATCH_OWNER) else f"process {claim['owner']}"
    state = "alive" if claim["alive"] else "dead: counted as paid by the next run"
    return f"In flight: {claim['requests']:,} requests of {claim['annotator']}\n  by {who} ({state})"


def _batch_text(batch: Counts) -> str:
    name = batch["batch"] or "not yet named by the endpoint"
    return (
        f"Batch under way: {batch['requests']:,} requests of {batch['annotator']}\n"
        f"  since {batch['submitted'][:16]}: {cut(name, WIDTH - 26)}"
    )


def _name(group: Counts) -> str:
    return f"{group['annotator'] or '(not noted)'}: {group['model']} at {group['endpoint']}"


def _numbers(counts: Counts) -> list[str]:
    from labelrisk.cache.inventory import SUMMED

    cells = [f"{counts['answers']:,}"]
    for name in SUMMED:
        more = "+" if counts[f"{name}_unknown"] else ""
        decimals = ".4f" if name == "cost" else ".0f"
        cells.append("unknown" if counts[name] is None else f"{counts[name]:,{decimals}}{more}")
    return cells


def _cost_at_most(spent: Counts) -> str:
    if spent["cost_at_most"] is None:
        return "unknown"
    return f"{spent['cost_at_most']:,.4f}{'+' if spent['cost_unknown'] else ''}"


def _names_above_numbers(title: str, header: Cells, rows: Sequence[tuple[str, Cells]]) -> str:
    """A table whose numbers stand under the name, which is long."""
    widths = [max(len(line[place]) for line in (header, *(cells for _, cells in rows))) for place in range(len(header))]

    def numbers(cells: Cells) -> str:
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rjust(WIDTH - 1)

    lines = [title, numbers(header), "-" * (WIDTH - 1)]
    return "\n".join([*lines, *(f"{cut(name, WIDTH)}\n{numbers(cells)}" for name, cells in rows)])
