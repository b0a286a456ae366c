"""Labels files without replies: a model may quote the text in them, as may a file of labels from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.files import written_aside

REPLY = "reply"


def withhold_replies(labels: Path) -> None:
    """Empty the column `reply` of a labels file, row group by row group; the call cache keeps the replies."""
    with pq.ParquetFile(labels) as source, written_aside(labels) as temporary:
        schema = source.schema_arrow
        place = schema.get_field_index(REPLY)
        with pq.ParquetWriter(temporary, schema) as writer:
            for group in range(source.num_row_groups):
                rows = source.read_row_group(group)
                writer.write_table(rows.set_column(place, schema.field(place), pa.nulls(len(rows), pa.string())))
