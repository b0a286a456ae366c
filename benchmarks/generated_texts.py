"""Generated corpora of any number of rows: sentences of about 150 characters, some of them twice or nearly so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

WORDS = 20  # of a sentence
VOCABULARY = 50_000
AT_ONCE = 100_000
CLASSES = ("weather", "food", "sport", "law")
COPIES, NEARLY = 0.03, 0.03  # shares of rows that repeat an earlier one, to the letter or but for a short word


def batches(rows: int, seed: int = 0) -> Iterator[pa.Table]:
    """`text, gold`; words are as unequally frequent as those of a language."""
    generator = np.random.default_rng(seed)
    vocabulary = pa.array(_vocabulary(generator))
    chances = 1 / (np.arange(VOCABULARY) + 20.0)
    steps = np.cumsum(chances / chances.sum())
    for start in range(0, rows, AT_ONCE):
        size = min(AT_ONCE, rows - start)
        words = np.searchsorted(steps, generator.random((size, WORDS))).clip(max=VOCABULARY - 1)
        repeated = np.flatnonzero(generator.random(size) < COPIES + NEARLY)
        repeated = repeated[repeated > 0]
        words[repeated] = words[generator.integers(0, repeated)]
        nearly = repeated[generator.random(len(repeated)) < NEARLY / (COPIES + NEARLY)]
        words[nearly, generator.integers(0, WORDS, len(nearly))] = generator.integers(0, 20, len(nearly))
        texts = _sentences(vocabulary, words)
        golds = words[:, 1] % len(CLASSES)  # of its words, so that copies have the same; a changed word may change it
        golds[nearly] = -1
        yield pa.table({"text": texts, "gold": pa.array([*CLASSES, None]).take(pa.array(golds % (len(CLASSES) + 1)))})


def write_corpus(path: Path, rows: int) -> None:
    """A corpus as Parquet, CSV or JSONL, by its name."""
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:
            for table in batches(rows):
                for row in table.to_pylist():
                    file.write(json.dumps(row) + "\n")
        return
    schema = pa.schema({"text": pa.string(), "gold": pa.string()})
    with csv.CSVWriter(path, schema) if path.suffix == ".csv" else pq.ParquetWriter(path, schema) as writer:
        for table in batches(rows):
            writer.write_table(table)


def _sentences(vocabulary: pa.Array, words: np.ndarray) -> pa.Array:
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(0, words.size + 1, words.shape[1], dtype=np.int32)),
        vocabulary.take(pa.array(words.reshape(-1))),
    )
    return pc.binary_join(lists, " ")


def _vocabulary(generator: np.random.Generator) -> list[str]:
    """Distinct words, the frequent ones short."""
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        length = 2 + int(np.log10(10 + len(found)) * 1.2) + int(generator.integers(0, 4))
        found["".join(generator.choice(letters, length))] = None
    return list(found)
