"""What is in a call cache, as numbers and as tables: answers and their cost, what was spent, who is asking now."""

from __future__ import annotations

import sqlite3
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelrisk.cache.calls import BATCH_OWNER
from labelrisk.cache.processes import alive
from labelrisk.text_tables import WIDTH, cut, text_table

DAYS = 14  # that the tables show
LEGEND = (
    "Days are UTC's. A number with + is at least that: some answers don't say. Imported answers are not spent here."
)
SUMMED = ("input_tokens", "output_tokens", "cost")
Cells = Sequence[str]


@dataclass
class Sums:
    """Answers counted together; what none of them knows is None."""

    answers: int = 0
    first: int | None = None
    last: int | None = None
    total: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUMMED, 0))
    known: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SUMMED, 0))

    def add(self, answers: int, first: int, last: int, numbers: Sequence[Any]) -> None:
        """Add a group; numbers: the sum and the number of known values of each of SUMMED."""
        self.answers += answers
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        for name, total, known in zip(SUMMED, numbers[::2], numbers[1::2], strict=True):
            self.total[name] += total or 0
            self.known[name] += known

    def as_numbers(self) -> dict[str, Any]:
        """For JSON; `<name>_unknown` counts answers that don't say."""
        numbers: dict[str, Any] = {"answers": self.answers}
        for name in SUMMED:
            numbers[name] = self.total[name] if self.known[name] else None
            numbers[f"{name}_unknown"] = self.answers - self.known[name]
        return numbers


def inventory(connection: sqlite3.Connection, path: Path) -> dict[str, Any]:
    """Everything that the tables tell, and all days."""
    groups: dict[tuple[Any, ...], Sums] = {}
    days: dict[int, Sums] = {}
    annotators: dict[str | None, Sums] = {}
    for annotator, model, endpoint, day, answers, first, last, *numbers in connection.execute(
        "SELECT annotator, model, endpoint, answered / 86400, count(*), min(answered), max(answered), "
        + ", ".join(f"sum({name}), count({name})" for name in SUMMED)
        + " FROM calls LEFT JOIN frames ON frames.id = frame GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    ):
        group = groups.setdefault((annotator, model, endpoint), Sums())
        for sums in (group, days.setdefault(day, Sums()), annotators.setdefault(annotator, Sums())):
            sums.add(answers, first, last, numbers)
    files = [path.with_name(path.name + more) for more in ("", "-wal", "-shm")]
    labels = path.parent / "labels"
    return {
        "cache": str(path),
        "bytes": sum(file.stat().st_size for file in files if file.exists()),
        "bytes_of_remembered_labels": sum(file.stat().st_size for file in labels.rglob("*") if file.is_file()),
        "answers": [
            dict(zip(("annotator", "model", "endpoint"), group, strict=True))
            | sums.as_numbers()
            | {"first": _time(sums.first), "last": _time(sums.last)}
            for group, sums in groups.items()
        ],
        "days": [{"day": _time(day * 86400)[:10]} | sums.as_numbers() for day, sums in sorted(days.items())],
        "spent": [_spent(row, annotators.get(row[0])) for row in connection.execute("SELECT * FROM spent ORDER BY 1")],
        "claims": list(_claims(connection, path.parent / "running")),
        "batches": [
            {"annotator": annotator, "batch": batch, "requests": requests, "submitted": _time(submitted)}
            for annotator, batch, requests, submitted in connection.execute(
                "SELECT annotator, batch, requests, submitted FROM batches ORDER BY submitted"
            )
        ],
    }


def _spent(row: tuple[str, int, float, int], answers: Sums | None) -> dict[str, Any]:
    """Without a price everything is counted as 0, so that a sum of 0 means something only where answers have a cost."""
    annotator, requests, cost, lost = row
    priced = answers is not None and answers.known["cost"] > 0
    unknown = answers.answers - answers.known["cost"] if answers else 0
    at_most = cost if cost or priced else None
    return {
        "annotator": annotator,
        "requests": requests,
        "cost_at_most": at_most,
        "cost_unknown": unknown,
        "lost": lost,
    }


def _claims(connection: sqlite3.Connection, running: Path) -> Iterator[dict[str, Any]]:
    batches = {token for (token,) in connection.execute("SELECT token FROM batches")}
    query = "SELECT owner, annotator, count(*), sum(cost) FROM claims GROUP BY 1, 2 ORDER BY 1, 2"
    for owner, annotator, claims, cost in connection.execute(query):
        if owner.startswith(BATCH_OWNER):
            lives = owner.removeprefix(BATCH_OWNER) in batches
        else:
            lives = is_alive(running, owner)
        yield {"owner": owner, "alive": lives, "annotator": annotator, "requests": claims, "cost_at_most": cost}


def is_alive(running: Path, token: str) -> bool:
    """Whether a process holds that token; one of another user, which can't be tested, counts as alive."""
    try:
        return alive(running, token)
    except OSError:
        return True


def tables(found: dict[str, Any]) -> str:
    """An inventory as plain text of at most WIDTH columns."""
    answers = [(_named(of), [*_numbers(of), of["first"][:10], of["last"][:10]]) for of in found["answers"]]
    sized = ("answers", "input", "output", "cost")
    parts = [
        f"{found['cache']}: {found['bytes'] / 1e6:,.1f} MB; "
        f"remembered labels beside it: {found['bytes_of_remembered_labels'] / 1e6:,.1f} MB",
        _below("annotator: model at endpoint", (*sized, "first", "last"), answers),
    ]
    if not answers:
        return f"{parts[0]}\n\nNo answers yet."
    days = [[of["day"], *_numbers(of)] for of in found["days"][-DAYS:]]
    parts.append(text_table([f"day (the last {DAYS} with answers)" if len(days) == DAYS else "day", *sized], days))
    if found["spent"]:
        spent = [
            [of["annotator"], f"{of['requests']:,}", _cost_at_most(of), f"{of['lost']:,}"] for of in found["spent"]
        ]
        parts.append(text_table(["spent here", "requests", "cost at most", "lost in flight"], spent))
    for of in found["claims"]:
        who = of["owner"] if of["owner"].startswith(BATCH_OWNER) else f"process {of['owner']}"
        state = "alive" if of["alive"] else "dead: counted as paid by the next run"
        parts.append(f"In flight: {of['requests']:,} requests of {of['annotator']}\n  by {who} ({state})")
    for of in found["batches"]:
        named = of["batch"] or "not yet named by the endpoint"
        parts.append(
            f"Batch under way: {of['requests']:,} requests of {of['annotator']}\n"
            f"  since {of['submitted'][:16]}: {cut(named, WIDTH - 26)}"
        )
    return "\n\n".join([*parts, "\n".join(textwrap.wrap(LEGEND, WIDTH))])


def _named(of: dict[str, Any]) -> str:
    return f"{of['annotator'] or '(not noted)'}: {of['model']} at {of['endpoint']}"


def _numbers(of: dict[str, Any]) -> list[str]:
    cells = [f"{of['answers']:,}"]
    for name in SUMMED:
        more = "+" if of[f"{name}_unknown"] else ""
        decimals = ".4f" if name == "cost" else ".0f"
        cells.append("unknown" if of[name] is None else f"{of[name]:,{decimals}}{more}")
    return cells


def _cost_at_most(of: dict[str, Any]) -> str:
    if of["cost_at_most"] is None:
        return "unknown"
    return f"{of['cost_at_most']:,.4f}{'+' if of['cost_unknown'] else ''}"


def _below(title: str, header: Cells, rows: Sequence[tuple[str, Cells]]) -> str:
    """A table whose numbers stand under the name, which is long."""
    widths = [max(len(line[place]) for line in (header, *(cells for _, cells in rows))) for place in range(len(header))]

    def numbers(cells: Cells) -> str:
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rjust(WIDTH - 1)

    lines = [title, numbers(header), "-" * (WIDTH - 1)]
    return "\n".join([*lines, *(f"{cut(name, WIDTH)}\n{numbers(cells)}" for name, cells in rows)])


def _time(second: int | None) -> str:
    return datetime.fromtimestamp(second or 0, UTC).isoformat()
