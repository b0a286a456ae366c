"""Which answers of a call cache an export or a pruning means."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime

from labelrisk.errors import LabelRiskError

CONDITIONS = {  # rule -> SQL on the table calls
    "annotator": "annotator = ?",
    "model": "frame IN (SELECT id FROM frames WHERE model = ?)",
    "endpoint": "frame IN (SELECT id FROM frames WHERE endpoint = ?)",
    "since": "answered >= ?",
    "before": "answered < ?",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Which answers are meant; all that are given must hold.  since, before: seconds of the epoch."""

    annotator: str | None = None
    model: str | None = None
    endpoint: str | None = None
    since: int | None = None
    before: int | None = None

    def sql(self) -> tuple[str, tuple[object, ...]]:
        """A condition on the table calls, and its values."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        given = {name: value for name, value in given.items() if value is not None}
        return " AND ".join(CONDITIONS[name] for name in given) or "TRUE", tuple(given.values())


def second_of(date: str | None, option: str) -> int | None:
    """The second at which a date of the command line begins, in UTC.

    Raises LabelRiskError when it is no date.
    """
    if date is None:
        return None
    try:
        parsed = datetime.fromisoformat(date)
    except ValueError:
        raise LabelRiskError(f"{option} is {date}, which is no date; give one like 2026-01-31 (UTC)") from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
