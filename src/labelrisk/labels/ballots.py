"""Ballots: what a panel needs of a member's labels, small enough to be read for a million rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from labelrisk.files import written_aside

COLUMNS = ("id", "label", "status")


def write_ballots(labels: Path, out: Path) -> None:
    """Write `id, label, status` of a labels file, row group by row group."""
    with pq.ParquetFile(labels) as source, written_aside(out) as temporary:
        schema = source.schema_arrow
        kept = schema.empty_table().select(list(COLUMNS)).schema.remove_metadata()
        with pq.ParquetWriter(temporary, kept) as writer:
            for group in range(source.num_row_groups):
                writer.write_table(source.read_row_group(group, columns=list(COLUMNS)).cast(kept))
