"""`labelrisk predict` from 10,000 to 10 million texts: seconds and memory, beside transformers' pipeline.

Two classifiers: an encoder of MiniLM's size (the embedded one, with a head that learned nothing, which computes the
same), up to 100,000 texts, and one of 2 layers of 32 numbers (random weights), with which ten million take minutes:
there it is reading, tokens, parts and writing that are measured.  Texts are words drawn from 1,000, 30 and 6.  Each
measurement is a process of its own.  The pipeline reads a part of the texts, and its seconds are those of all in
proportion: `recipe` says of how many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scale_table import Line, main, sizes

from labelrisk.embedded_model.weights import embedded_folder
from labelrisk.encoders.loading import load_tokenizer, quiet

CLASSES = ["no", "yes"]
WORDS, TOKENS = 1_000, 64
LENGTHS = {"MiniLM": 30, "tiny": 6}  # words of a text
AT_ONCE = 100_000  # texts that are generated
LARGEST = {"MiniLM": 100_000, "tiny": 10_000_000}
PART = {"MiniLM": 1_000, "tiny": 10_000}  # texts of the usual recipe


def lines(largest: int) -> Iterator[Line]:
    """All classifiers and sizes."""
    with tempfile.TemporaryDirectory(prefix="predict") as folder:
        root = Path(folder)
        for name in LARGEST:
            classifier = classifier_of(name, root / name)
            for rows in sizes(min(largest, LARGEST[name])):
                write_texts(root / "in.parquet", rows, LENGTHS[name])
                found = measured("ours", classifier, root / "in.parquet", rows)
                part = min(rows, PART[name])
                usual = measured("usual", classifier, root / "in.parquet", part)["seconds"] * rows / part
                recipe = f"pipeline('text-classification'), fp32, batches of 32, {part:,} texts measured"
                yield Line(f"predict, {name}", rows, found["seconds"], found["gigabytes"], usual=usual, recipe=recipe)
                (root / "in.parquet").unlink()
                (root / "in.out.parquet").unlink()


def write_texts(path: Path, rows: int, length: int) -> None:
    """Texts and their numbers, in memory that does not grow with rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(0)
    known = load_tokenizer(str(embedded_folder()), None).get_vocab()
    words = np.array(sorted(word for word in known if word.isalpha() and word.isascii())[:WORDS], dtype=object)
    schema = pa.schema([("text", pa.string()), ("number", pa.int64())])
    with pq.ParquetWriter(path, schema) as file:
        for first in range(0, rows, AT_ONCE):
            numbers = np.arange(first, min(first + AT_ONCE, rows))
            drawn = words[generator.integers(WORDS, size=(len(numbers), length))]
            file.write_table(pa.table({"text": [" ".join(row) for row in drawn], "number": numbers}, schema=schema))


def classifier_of(name: str, folder: Path) -> Path:
    """A folder as the stage distil writes it."""
    from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

    from labelrisk.classifiers.folders import write_form

    embedded = str(embedded_folder())
    tokenizer: Any = load_tokenizer(embedded, None)
    model: Any
    with quiet():
        if name == "tiny":
            small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
            model = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), **small))
        else:
            model = AutoModelForSequenceClassification.from_pretrained(embedded, num_labels=len(CLASSES))
        model.to("cpu").bfloat16().save_pretrained(folder / "gold-0")
        tokenizer.save_pretrained(folder / "gold-0")
    write_form(folder, name, CLASSES, TOKENS, [("gold", 0)])
    return folder


def measured(how: str, classifier: Path, path: Path, rows: int) -> dict[str, float]:
    """Seconds and gigabytes of a process of its own."""
    command = [sys.executable, __file__, "--one", how, str(classifier), str(path), str(rows)]
    usual = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}  # all cores, as it comes
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=usual)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(how: str, classifier: Path, path: Path, rows: int) -> dict[str, float]:
    """Label so many texts of a file, from its start to labels."""
    started = time.perf_counter()
    if how == "ours":
        from labelrisk.cli import main as command

        out = path.with_suffix(".out.parquet")
        words = ["--in", str(path), "--out", str(out), "--classifier", str(classifier), "--uncalibrated"]
        if command(["predict", *words]):
            sys.exit("labelrisk predict failed")
    else:
        import pyarrow.parquet as pq
        from transformers import pipeline

        texts = next(pq.ParquetFile(path).iter_batches(rows))["text"].to_pylist()
        call: Any = pipeline
        classify = call("text-classification", str(classifier / "gold-0"), device=-1, dtype="float32")
        started = time.perf_counter()  # its start is not scaled
        classify(texts, batch_size=32, truncation=True, max_length=TOKENS)
    return {"seconds": time.perf_counter() - started, "gigabytes": highest()}


def highest() -> float:
    """Gigabytes that this process held at most."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        how, classifier, path, rows = sys.argv[2:]
        print(json.dumps(one(how, Path(classifier), Path(path), int(rows))))
    else:
        main(lines, __doc__)
