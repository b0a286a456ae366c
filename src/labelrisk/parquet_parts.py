"""Parquet files that are read part by part."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq


def in_parts(source: str | Path | IO[bytes] | pa.NativeFile, buffer_size: int = 0) -> pq.ParquetFile:
    """A file whose batches are read as they are asked for; buffer_size: bytes of a column at once, 0 for a row group's.

    As pyarrow would (`pre_buffer`), all row groups are read ahead of the first batch, and held to the last.
    """
    return pq.ParquetFile(source, pre_buffer=False, buffer_size=buffer_size)
