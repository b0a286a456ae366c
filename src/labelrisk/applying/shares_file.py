"""Class shares and shares of unlike texts as a file: of all rows, and of each slice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from labelrisk.applying.summary import Summary
from labelrisk.corpora.spreadsheets import safe_text
from labelrisk.errors import LabelRiskError, shown
from labelrisk.files import write_json, written_aside
from labelrisk.statistics.shares import Share

SUFFIXES = (".csv", ".json")


def check_shares_file(path: Path) -> None:
    """Raise LabelRiskError for a file of another kind."""
    if path.suffix.lower() not in SUFFIXES:
        raise LabelRiskError(f"--shares {shown(path, 300)} is neither; end its name in {' or '.join(SUFFIXES)}")


def write_shares(summary: Summary, by: str | None, path: Path) -> None:
    """Write them; shares are 0 to 1, and empty where they can't be told."""
    rows = [row for slice_ in (None, *summary.slices) for row in _rows(summary, by, slice_)]
    if path.suffix.lower() == ".json":
        write_json({"column": by, "shares": rows}, path)
        return
    frame = pd.DataFrame(rows)
    for column in ("slice", "class"):
        frame[column] = [safe_text(cell) if isinstance(cell, str) else "" for cell in frame[column]]
    with written_aside(path) as temporary:
        frame.to_csv(temporary, index=False, encoding="utf-8-sig", lineterminator="\n")


def _rows(summary: Summary, by: str | None, slice_: str | None) -> list[dict[str, Any]]:
    totals = summary.whole if slice_ is None else summary.slices[slice_]
    found, far = summary.shares(totals), summary.unlike(totals)
    if found is None:
        return []
    warned = summary.is_unlike if slice_ is None else slice_ in summary.warned_slices()
    rows = []
    for code, name in enumerate(summary.classes):
        share = found.corrected[code] if found.corrected else Share(*[None] * 3)  # type: ignore[arg-type]
        naive = float(found.naive[code]) if found.corrected else None  # a count alone misleads
        row = {"slice": slice_, "class": name, "rows": found.rows, "naive": naive}
        row |= {"corrected": share.share, "low": share.low, "high": share.high, "method": found.method}
        row["method_refuted"] = found.refuted if found.corrected else None
        row |= {"unlike": far.share.share if far else None, "unlike_low": far.share.low if far else None}
        row |= {"unlike_high": far.share.high if far else None, "unlike_warning": warned if far else None}
        rows.append(row)
    return rows
