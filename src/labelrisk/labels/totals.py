"""Totals of a labels file, and of the run that wrote it: how many rows of each kind, and what they cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelrisk.spending.run_counts import RunCounts


def totals(labels: Path, asked: bool) -> dict[str, Any]:
    """Counts by status, method and flag; requests, tokens and cost of the answers when they were asked.

    The same labels give the same totals: what a later run pays now, mostly nothing, is not among them.
    asked: whether the annotator asks somebody.  A sum with an unknown part is null.
    """

    def column(name: str) -> pa.ChunkedArray:  # one at a time: files may have millions of rows
        return pq.read_table(labels, columns=[name])[name]

    status = column("status")
    content: dict[str, Any] = {"rows": len(status), "status": _counts(status)}
    if not asked:
        return content
    content |= {
        "method": _counts(column("method")),
        "flags": _counts(pc.list_flatten(column("flags"))),
        "codebook": "+".join(_counts(column("codebook"))),
    }
    content |= {name: _sum(column(name)) for name in ("requests", "input_tokens", "output_tokens", "cost")}
    return content


def of_run(now: RunCounts) -> dict[str, Any]:
    """What one run asked and paid."""
    return {
        "requests": now.answered,
        "cost": None if now.unpriced else round(now.cost, 9),
        "requests_of_unknown_cost": now.unpriced,
        "errors": dict(sorted(now.errors.items())),
        "models": dict(sorted(now.models.items())),
    }


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(pc.drop_null(column)).to_pylist()
    return {one["values"]: one["counts"] for one in sorted(counted, key=lambda one: str(one["values"]))}


def _sum(column: pa.ChunkedArray) -> Any:
    if column.null_count:
        return None
    value = pc.sum(column).as_py() or 0
    return round(value, 9) if isinstance(value, float) else value
