"""Totals of a labels file: how many rows of each kind, what they cost, and what of that was paid now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelrisk.annotators.purse import Counts


def totals(labels: Path, now: Counts | None) -> dict[str, Any]:
    """Counts by status, method and flag; requests, tokens and cost of the answers when they were asked.

    now: of the run that wrote the file, None for annotators that ask nobody.  A sum with an unknown part is null.
    """
    columns = ["status", "method", "flags", "codebook", "requests", "input_tokens", "output_tokens", "cost"]
    table = pq.read_table(labels, columns=columns)
    content: dict[str, Any] = {"rows": len(table), "status": _counts(table["status"])}
    if now is None:
        return content
    flags = pc.list_flatten(table["flags"])
    content |= {
        "method": _counts(table["method"]),
        "flags": _counts(flags),
        "codebook": "+".join(_counts(table["codebook"])),
    }
    content |= {name: _sum(table[name]) for name in ("requests", "input_tokens", "output_tokens", "cost")}
    content["now"] = {
        "requests": now.answered,
        "cost": None if now.unpriced else round(now.cost, 9),
        "requests_of_unknown_cost": now.unpriced,
        "errors": dict(sorted(now.errors.items())),
        "models": dict(sorted(now.models.items())),
    }
    return content


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(pc.drop_null(column)).to_pylist()
    return {one["values"]: one["counts"] for one in sorted(counted, key=lambda one: str(one["values"]))}


def _sum(column: pa.ChunkedArray) -> Any:
    if column.null_count:
        return None
    value = pc.sum(column).as_py() or 0
    return round(value, 9) if isinstance(value, float) else value
