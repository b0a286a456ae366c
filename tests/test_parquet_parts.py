"""Parquet files that are read part by part hold a part."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from labelrisk.applying.parquet_inputs import open_parquet
from labelrisk.applying.places import place_of
from labelrisk.corpora.parquet_files import column_parts
from labelrisk.corpora.prepared import SPLITS, Prepared
from labelrisk.parquet_parts import in_parts
from labelrisk.vectors.vectors_file import stream_vectors

GROUPS, ROWS, NUMBERS = 40, 512, 256  # 512 KB a group
SOURCES = Path(__file__).parent.parent / "src"


def write_vectors(path):
    vectors = np.random.default_rng(0).random((ROWS, NUMBERS), dtype=np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), NUMBERS)
    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), NUMBERS))])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        for group in range(GROUPS):
            ids = pa.array([f"{group}-{row}" for row in range(ROWS)])
            file.write_table(pa.table([ids, column.cast(schema.field("vector").type)], schema=schema))


def most_held(parts):
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in parts]
    return len(held), max(held)


def test_a_file_is_not_read_ahead(tmp_path):
    path = tmp_path / "train.parquet"
    write_vectors(path)
    number, most = most_held(in_parts(path).iter_batches(ROWS))
    assert number == GROUPS
    assert most < path.stat().st_size / 8
    number, most = most_held(stream_vectors(tmp_path, "train", ROWS))
    assert number == GROUPS
    assert most < path.stat().st_size / 8


def test_texts_are_not_read_ahead(tmp_path):
    """Whoever goes through a corpus holds some thousand rows of it."""
    words = np.random.default_rng(0).integers(0, 10**18, (64_000, 20))
    texts = pa.array([" ".join(map(str, row)) for row in words], pa.large_string())
    columns = [
        pa.array([f"r{row}" for row in range(len(texts))], pa.large_string()),
        texts,
        pa.nulls(len(texts), pa.string()),
    ]
    for split in SPLITS:
        table = pa.table(columns, ["id", "text", "gold"])
        pq.write_table(table, tmp_path / f"{split}.parquet", row_group_size=1000, use_dictionary=False)
    path, rows = tmp_path / "train.parquet", Prepared(tmp_path)
    for parts in (
        rows.columns("train", ["id", "text"], 1000),
        rows.batches(1000),
        column_parts(path, ["id", "text"]),
        open_parquet(place_of(str(path))).batches(["text"]),
    ):
        number, most = most_held(parts)
        assert number > 1
        assert most < texts.nbytes / 2


def test_who_reads_batches_reads_them_so():
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")}
    readers = [path for path, text in texts.items() if ".iter_batches(" in text]
    assert len(readers) > 5
    assert [path for path in readers if "in_parts(" not in texts[path] or "pq.ParquetFile(" in texts[path]] == []
