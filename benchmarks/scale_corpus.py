"""Preparing, de-duplicating, filtering and embedding a corpus of any number of rows, beside the usual recipes.

    python benchmarks/scale_corpus.py --largest 1000000

Each is measured in a process of its own: seconds with all reading and writing, without the start of Python, and the
most memory that it had allocated.  `embed` is measured with an encoder that takes no time: the real one's rate stands
in benchmarks/embedding.py.  datasketch is measured where it is installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelrisk.params import Settings

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import scale_table  # noqa: E402

SEEDS = 5
DIMENSIONS = 384
MOST_IN_MEMORY = 1_000_000  # rows of the usual recipe that holds all of them: more take more than 5 GB
MOST_BY_DATASKETCH = 100_000
LEAST = 0.9


def lines(largest: int) -> Iterator[scale_table.Line]:
    """One line for each size of each part."""
    found: dict[str, list[scale_table.Line]] = {}
    for rows in scale_table.sizes(largest):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            folder = Path(name)
            _apart(folder, "write_inputs", rows)
            for line in _of_size(folder, rows):
                found.setdefault(line.what, []).append(line)
    for several in found.values():
        yield from several


def _of_size(folder: Path, rows: int) -> Iterator[scale_table.Line]:
    line = partial(scale_table.Line, rows=rows)
    usual = partial(_usual, folder, rows)
    for kind in ("parquet", "csv", "jsonl"):
        prepared = _apart(folder, f"prepare_{kind}", rows)
        by_pandas, recipe = (usual("pandas_prepare", MOST_IN_MEMORY), PANDAS) if kind == "parquet" else (None, "")
        yield line(f"prepare, {kind}", seconds=prepared[0], gigabytes=prepared[1], usual=by_pandas, recipe=recipe)
    near = _apart(folder, "prepare_near", rows)
    by_datasketch = usual("datasketch_lsh", MOST_BY_DATASKETCH)
    yield line("prepare, near-duplicates", seconds=near[0], gigabytes=near[1], usual=by_datasketch, recipe=DATASKETCH)
    _apart(folder, "write_labels", rows)
    for what in ("plain", "drop"):
        seconds, gigabytes = _apart(folder, f"filter_{what}", rows)
        of = usual(f"pandas_{what}", MOST_IN_MEMORY)
        yield line(f"filter, {NAMES[what]}", seconds=seconds, gigabytes=gigabytes, usual=of, recipe=FRAMES)
    seconds, gigabytes = _apart(folder, "embed", rows)
    yield line("embed, reading and writing", seconds=seconds, gigabytes=gigabytes)


PANDAS = "pandas: read_parquet, drop_duplicates, sklearn's train_test_split twice, to_parquet"
DATASKETCH = "datasketch: MinHash of 64 permutations, MinHashLSH at 0.9, of the texts alone"
FRAMES = "pandas: read_parquet of texts and labels, sort_values, to_parquet for each of 5 seeds"
NAMES = {"plain": "an annotator's labels", "drop": "drop by entropy"}


def _usual(folder: Path, rows: int, part: str, most: int) -> float | None:
    if rows > most or (part == "datasketch_lsh" and find_spec("datasketch") is None):
        return None
    return _apart(folder, part, rows)[0]


def _apart(folder: Path, part: str, rows: int) -> tuple[float, float]:
    """Seconds and gigabytes of one part, in a process of its own."""
    command = [sys.executable, __file__, "--part", part, str(folder), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, gigabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, gigabytes


# --- the parts


def write_inputs(folder: Path, rows: int) -> None:
    """The corpus in three formats, and the files of a study."""
    import yaml
    from generated_texts import CLASSES, write_corpus

    for kind in ("parquet", "csv", "jsonl"):
        write_corpus(folder / f"texts.{kind}", rows)
    (folder / "codebook.yaml").write_text(yaml.safe_dump({"task": "t", "labels": {name: name for name in CLASSES}}))


def settings_of(folder: Path, kind: str = "parquet", **prepare: object) -> Settings:
    """A study of the texts, of which nearly all are train rows."""
    from labelrisk.params import load

    settings = load(ROOT / "params.yaml")
    from labelrisk.corpora.files import FilesCorpus

    shares = {"validation_share": 0.005, "test_share": 0.005}
    caps = dict.fromkeys(("train_rows", "validation_rows", "test_rows"))
    return settings.model_copy(
        update={
            "codebook": str(folder / "codebook.yaml"),
            "corpus": FilesCorpus(kind="files", path=str(folder / f"texts.{kind}")),
            "prepare": settings.prepare.model_copy(update=shares | caps | prepare),
            "seeds": list(range(SEEDS)),
        }
    )


def prepare(folder: Path, rows: int, kind: str = "parquet", **how: object) -> Callable[[], object]:
    """The stage."""
    from labelrisk.stages import prepare as stage

    settings = settings_of(folder, kind, **how)
    return lambda: stage.run(settings, folder / "prepared", folder / "counts.json")


def write_labels(folder: Path, rows: int) -> None:
    """An annotator's labels with probabilities of all prepared rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from generated_texts import CLASSES

    from labelrisk.corpora.prepared import Prepared
    from labelrisk.labels.labels_file import SCHEMA

    generator = np.random.default_rng(0)
    (folder / "labels").mkdir()
    with pq.ParquetWriter(folder / "labels" / "embedded.parquet", SCHEMA) as file:
        for split, batch in Prepared(folder / "prepared").batches(16_384):
            size = len(batch)
            given = generator.dirichlet(np.full(len(CLASSES), 0.5), size).clip(1e-9)
            known = {
                "id": batch["id"].cast(pa.string()),
                "split": pa.repeat(split, size),
                "label": pa.array(CLASSES).take(pa.array(given.argmax(axis=1))),
                "status": pa.repeat("ok", size),
                "probabilities": pa.ListArray.from_arrays(
                    pa.array(np.arange(0, given.size + 1, len(CLASSES), dtype=np.int32)), pa.array(given.reshape(-1))
                ),
                "entropy": pa.array(-(given * np.log(given)).sum(axis=1)),
            }
            columns = [known.get(field.name, pa.nulls(size, field.type)) for field in SCHEMA]
            file.write_table(pa.table(columns, schema=SCHEMA))


def filter_(folder: Path, rows: int, what: str) -> Callable[[], object]:
    """The stage, for all seeds."""
    from labelrisk.sources.source import Source
    from labelrisk.stages import filter as stage

    drop = {"select": {"by": "entropy", "share": 0.25}, "action": "drop"}
    source = Source.model_validate({"annotator": "embedded"} | (drop if what == "drop" else {}))
    settings = settings_of(folder).model_copy(update={"sources": {"one": source}})
    prepared, labels = folder / "prepared", folder / "labels"
    return lambda: stage.run(settings, "one", prepared, labels, folder / "vectors", folder / "training")


def embed(folder: Path, rows: int) -> Callable[[], object]:
    """The reading of texts and the writing of vectors, which an encoder of no time gives."""
    import numpy as np

    from labelrisk.corpora.prepared import Prepared
    from labelrisk.vectors.vectors_file import ROWS, write_vectors

    some = np.random.default_rng(0).random((ROWS, DIMENSIONS), dtype=np.float32)
    encode = lambda texts: some[: len(texts)]  # noqa: E731
    return lambda: write_vectors(Prepared(folder / "prepared"), encode, DIMENSIONS, folder / "vectors")


def pandas_prepare(folder: Path) -> None:
    """What a notebook does."""
    import pandas as pd
    from sklearn.model_selection import train_test_split

    rows = pd.read_parquet(folder / "texts.parquet").drop_duplicates("text")
    rest, test = train_test_split(rows, test_size=0.25, stratify=rows["gold"].fillna(""), random_state=0)
    train, validation = train_test_split(rest, test_size=0.2, stratify=rest["gold"].fillna(""), random_state=0)
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        part.to_parquet(folder / f"pandas_{name}.parquet")


def datasketch_lsh(folder: Path) -> None:
    """Near-duplicates by datasketch, where it is installed."""
    import pandas as pd
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=LEAST, num_perm=64)
    for row, text in enumerate(pd.read_parquet(folder / "texts.parquet")["text"]):
        of = MinHash(num_perm=64)
        of.update_batch([text[at : at + 5].encode() for at in range(len(text) - 4)])
        if not index.query(of):
            index.insert(row, of)


def pandas_filter(folder: Path, what: str) -> None:
    """All rows as a frame, written for each seed."""
    import pandas as pd

    rows = pd.read_parquet(folder / "prepared" / "train.parquet", columns=["id", "text"])
    labels = pd.read_parquet(folder / "labels" / "embedded.parquet", columns=["id", "label", "status", "entropy"])
    every = rows.merge(labels, on="id")
    for seed in range(SEEDS):
        kept = every.sort_values("entropy").head(round(0.75 * len(every))) if what == "drop" else every
        kept.to_parquet(folder / f"pandas_{seed}.parquet")


PARTS: dict[str, Callable[[Path, int], Callable[[], object]]] = {
    "write_inputs": lambda folder, rows: partial(write_inputs, folder, rows),
    "write_labels": lambda folder, rows: partial(write_labels, folder, rows),
    **{f"prepare_{kind}": partial(prepare, kind=kind) for kind in ("parquet", "csv", "jsonl")},
    "prepare_near": partial(prepare, near_duplicates=LEAST),
    "filter_plain": partial(filter_, what="plain"),
    "filter_drop": partial(filter_, what="drop"),
    "embed": embed,
    "pandas_prepare": lambda folder, rows: partial(pandas_prepare, folder),
    "datasketch_lsh": lambda folder, rows: partial(datasketch_lsh, folder),
    "pandas_plain": lambda folder, rows: partial(pandas_filter, folder, "plain"),
    "pandas_drop": lambda folder, rows: partial(pandas_filter, folder, "drop"),
}


IMPORTED = {"pandas": ("pandas", "pyarrow.parquet", "sklearn.model_selection"), "datasketch": ("pandas", "datasketch")}


def _measure(part: str, folder: Path, rows: int) -> None:
    most = [0.0]

    def watch() -> None:
        while True:
            status = Path("/proc/self/status").read_text()
            found = re.search(r"RssAnon:\s+(\d+) kB", status)
            most[0] = max(most[0], int(found[1]) * 1024 / 1e9 if found else 0.0)
            time.sleep(0.02)

    for module in IMPORTED.get(part.partition("_")[0], ()):  # what takes long to import is not what is measured
        import_module(module)
    run = PARTS[part](folder, rows)
    threading.Thread(target=watch, daemon=True).start()
    started = time.perf_counter()
    run()
    print(json.dumps([time.perf_counter() - started, most[0]]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        _measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        scale_table.main(lines, __doc__)
