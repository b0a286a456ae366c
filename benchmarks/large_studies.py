"""Generated studies of any size, as the stages before `evaluate` would have left them: for what is measured at scale.

Students share the errors of the annotator that they learned from, and rows differ in how hard they are, so that all
analyses and explanations have something to find.  Files are written column by column, also those of 10 million rows.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from labelrisk.comparison.runs import runs_in, write_runs
from labelrisk.params import Settings, load
from labelrisk.settings.distil import DISTILLED

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("prepared", "labels", "ballots", "baselines", "training", "predictions", "logs", "vectors", "runs")
DIMENSIONS = 384
STEPS, EVERY = 400, 20  # of a student's training, and between validations
ROWS_AT_ONCE = 1 << 18  # of a file that is written
WORDS = (
    "the",
    "of",
    "value",
    "array",
    "returns",
    "given",
    "list",
    "index",
    "file",
    "object",
    "input",
    "column",
    "raises",
)
SENTENCES = 2000  # different texts
KINDS: tuple[dict[str, Any], ...] = (  # of sources of one annotator
    {},
    {"select": {"by": "random", "share": 0.25}, "action": "gold"},
    {"select": {"by": "random", "share": 0.25}, "action": "drop"},
    {"labels": "gold", "noise": "confusion"},
)
Codes = NDArray[np.int64]


class Size(NamedTuple):
    """How large a study is.  with_gold: share of the train rows that have gold."""

    sources: int = 20
    seeds: int = 5
    test_rows: int = 10_000
    classes: int = 10
    train_rows: int = 1000
    validation_rows: int = 200
    with_gold: float = 1.0
    vectors: bool = True  # of train rows, too: 1.5 KB each


class Split(NamedTuple):
    """Rows: ids, the place of each text among the sentences, gold, how hard they are; (N,) each."""

    name: str
    ids: pa.Array
    texts: Codes
    gold: Codes
    hardness: NDArray[np.float64]


def write_study(root: Path, size: Size) -> Settings:
    """Write params.yaml and the folder `data` as it is before `evaluate`, and return the settings."""
    generator = np.random.default_rng(0)
    for folder in FOLDERS:
        (root / "data" / folder).mkdir(parents=True)
    settings = _write_params(root, size)
    classes = [f"class_{code}" for code in range(size.classes)]
    (root / "data" / "prepared" / "labels.json").write_text(json.dumps(classes))
    rows = {"train": size.train_rows, "validation": size.validation_rows, "test": size.test_rows}
    splits = [_split(name, number, size.classes, generator) for name, number in rows.items()]
    for split in splits:
        _write_split(root / "data", split, classes, size, generator)
    given = {
        name: [_answers(split, size.classes, generator) for split in splits]
        for name in settings.labellers
        if not settings.is_gold(name)
    }
    for name, answers in given.items():
        _write_labels(root / "data" / "labels" / f"{name}.parquet", name, splits, answers, classes, generator)
    _write_training(root / "data" / "training", settings, splits[0], given, classes)
    for source, declared in settings.sources.items():
        test = given.get(declared.annotator, [split.gold for split in splits])[2]
        for seed in settings.seeds:
            _write_student(root / "data", f"{source}/{seed}", splits[1:], test, size.classes, generator)
    for kind in settings.baseline.kinds:
        said = np.where(
            generator.random(size.test_rows) < 0.7, splits[2].gold, _answers(splits[2], size.classes, generator)
        )
        table = pa.table([splits[2].ids, _words(said, classes)], ["id", "label"])
        pq.write_table(table, root / "data" / "baselines" / f"{kind}.parquet")
    _write_edited(root / "data", settings, splits[2], classes, generator)
    return settings


def write_all_runs(root: Path, settings: Settings) -> None:
    """Write all runs as one file, as `evaluate` does, and what the distilled student says."""
    read = runs_in(root / "data" / "predictions")
    write_runs(root / "data" / "runs" / "all.parquet", read, list(settings.sources), settings.seeds)
    first = next(iter(settings.sources))
    write_runs(root / "data" / "distilled.parquet", lambda *_: read(first, 0), [DISTILLED], [settings.distil.seed])


def _write_params(root: Path, size: Size) -> Settings:
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    annotators = -(-(size.sources - 1) // len(KINDS))
    content["annotators"] = {"gold": {"kind": "gold", "reads": "x"}}
    content["annotators"] |= {
        f"llm_{number}": {"kind": "import", "reads": "x", "label": "label"} for number in range(annotators)
    }
    sources: dict[str, Any] = {"gold": {"annotator": "gold"}}
    for number in range(size.sources - 1):
        about, kind = divmod(number, len(KINDS))
        words = ["plain", "corrected", "dropped", "noise"][kind]
        sources[f"llm_{about}_{words}"] = {"annotator": f"llm_{about}"} | KINDS[kind]
    content |= {"sources": sources, "seeds": list(range(size.seeds))}
    content["ensemble"] = {"across": [name for name in sources if name.endswith("plain")][:3] or ["gold"]}
    content["corpus"] = {"kind": "files", "path": "x", "text": "text", "gold": "gold", "slices": ["package", "topic"]}
    content["train"] |= {"steps": STEPS}
    (root / "codebooks").mkdir()
    shutil.copy(ROOT / content["codebook"], root / content["codebook"])
    (root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return load(root / "params.yaml")


def _split(name: str, rows: int, classes: int, generator: np.random.Generator) -> Split:
    shares = np.arange(2 * classes, classes, -1.0)
    gold = generator.choice(classes, rows, p=shares / shares.sum())
    ids = pa.array([f"{name[:2]}{number:08x}" for number in range(rows)], pa.large_string())
    return Split(name, ids, generator.integers(0, SENTENCES, rows), gold, generator.standard_normal(rows))


def _answers(split: Split, classes: int, generator: np.random.Generator) -> Codes:
    """An annotator's labels: wrong on hard rows, mostly with the next class; -1 for one row of a hundred."""
    wrong = split.hardness + 0.7 * generator.standard_normal(len(split.gold)) > 1.1
    other = np.where(
        generator.random(len(split.gold)) < 0.8, 1, generator.integers(1, max(classes, 2), len(split.gold))
    )
    said = np.where(wrong, (split.gold + other) % classes, split.gold)
    return np.where(generator.random(len(said)) < 0.01, -1, said)


def _words(codes: Codes, names: Sequence[str]) -> pa.Array:
    """Names of codes, null for -1, as columns that are small on disk."""
    places = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(names, pa.string()))


def _write_split(data: Path, split: Split, classes: list[str], size: Size, generator: np.random.Generator) -> None:
    texts = np.random.default_rng(1)
    sentences = [" ".join(texts.choice(WORDS, texts.integers(4, 60))) for _ in range(SENTENCES)]
    known = (
        np.where(generator.random(len(split.gold)) < size.with_gold, split.gold, -1)
        if split.name == "train"
        else split.gold
    )
    columns = [split.ids, _words(split.texts, sentences), _words(known, classes)]
    table = pa.table(columns, ["id", "text", "gold"]).cast(
        pa.schema([("id", pa.large_string()), ("text", pa.large_string()), ("gold", pa.string())])
    )
    pq.write_table(table, data / "prepared" / f"{split.name}.parquet", row_group_size=ROWS_AT_ONCE)
    slices = data / "prepared" / "slices.parquet"
    names = [f"package_{number}" for number in range(8)], [f"topic_{number}" for number in range(60)]
    values = [_words(split.texts % len(some), some) for some in names]
    of_split = pa.table([split.ids, *values], ["id", "slice package", "slice topic"])
    others = [pq.read_table(slices)] if slices.is_file() else []
    pq.write_table(pa.concat_tables([*others, of_split]), slices, row_group_size=ROWS_AT_ONCE)
    if split.name != "train" or size.vectors:
        _write_vectors(data / "vectors" / f"{split.name}.parquet", split)


def _write_vectors(path: Path, split: Split) -> None:
    """Texts that are the same have the same vector, of length 1."""
    drawn = np.random.default_rng(2).standard_normal((SENTENCES, DIMENSIONS), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), DIMENSIONS))])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        for start in range(0, len(split.ids), 2048):
            part = drawn[split.texts[start : start + 2048]]
            ids = split.ids.slice(start, 2048).cast(pa.string())
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), DIMENSIONS)
            file.write_table(pa.table([ids, vectors], schema=schema))


def _write_labels(
    path: Path, name: str, splits: list[Split], answers: list[Codes], classes: list[str], generator: np.random.Generator
) -> None:
    with pq.ParquetWriter(path, LABELS) as file:
        for split, codes in zip(splits, answers, strict=True):
            for start in range(0, len(codes), ROWS_AT_ONCE):
                part = codes[start : start + ROWS_AT_ONCE]
                shares = np.full((len(part), len(classes)), 0.3 / len(classes))
                shares[np.arange(len(part)), np.maximum(part, 0)] += 0.7 - 0.5 * generator.random(len(part))
                shares /= shares.sum(axis=1, keepdims=True)
                columns = {
                    "id": split.ids.slice(start, len(part)).cast(pa.string()),
                    "split": pa.repeat(split.name, len(part)),
                    "label": _words(part, classes).cast(pa.string()),
                    "status": _words((part < 0).astype(np.int64), ["ok", "refused"]).cast(pa.string()),
                    "probabilities": _lists(shares),
                    "entropy": pa.array(-(shares * np.log(shares)).sum(axis=1)),
                    "cost": pa.array(np.full(len(part), 1e-4)),
                    "labeller": pa.repeat(name, len(part)),
                }
                file.write_table(pa.table(columns, schema=LABELS))


LABELS = pa.schema(
    {
        "id": pa.string(),
        "split": pa.string(),
        "label": pa.string(),
        "status": pa.string(),
        "probabilities": pa.list_(pa.float64()),
        "entropy": pa.float64(),
        "cost": pa.float64(),
        "labeller": pa.string(),
    }
)


def _lists(values: NDArray[Any]) -> pa.ListArray:
    ends = pa.array(np.arange(len(values) + 1, dtype=np.int32) * values.shape[1])
    return pa.ListArray.from_arrays(ends, pa.array(values.reshape(-1)))


def _write_training(
    folder: Path, settings: Settings, train: Split, given: dict[str, list[Codes]], classes: list[str]
) -> None:
    """The rows of each source; all seeds of all sources of one kind are one file."""
    written: dict[tuple[str, str], Path] = {}
    for source, declared in settings.sources.items():
        (folder / source).mkdir()
        kind = (declared.annotator, source.rsplit("_", 1)[-1])
        for seed in settings.seeds:
            path = folder / source / f"{seed}.parquet"
            if kind in written:
                os.link(written[kind], path)
                continue
            written[kind] = path
            said = given.get(declared.annotator, [train.gold])[0]
            chosen = train.texts % 4 == 0
            codes, origins = said, np.zeros(len(said), dtype=np.int64)
            if kind[1] == "corrected":
                codes, origins = np.where(chosen, train.gold, said), np.where(chosen, 1, 0)
            if kind[1] == "dropped":
                codes, origins = np.where(chosen, -1, said), np.where(chosen, 2, 0)
            if kind[1] == "noise":
                codes, origins = said, np.full(len(said), 3)
            names = ["annotator", "gold", "left_out", "noise"]
            table = pa.table(
                {
                    "id": train.ids,
                    "label": _words(codes, classes).cast(pa.string()),
                    "origin": _words(origins, names).cast(pa.large_string()),
                    "labeller": _words((origins == 1).astype(np.int64), [declared.annotator, "gold"]),
                    "why": _words(np.where(origins == 2, 0, -1), ["selected"]),
                    "split": pa.repeat("train", len(codes)),
                }
            )
            pq.write_table(table, path, row_group_size=ROWS_AT_ONCE)


def _write_student(
    data: Path, name: str, splits: Sequence[Split], learned: Codes, classes: int, generator: np.random.Generator
) -> None:
    """What a student says of validation and test rows, and its curves: right on easy rows, else often as learned."""
    parts = []
    for split in splits:
        rows = len(split.gold)
        logits = generator.standard_normal((rows, classes)).astype(np.float32)
        logits[np.arange(rows), split.gold] += 2.5 - 1.2 * split.hardness
        if split.name == "test":
            known = np.flatnonzero(learned >= 0)
            logits[known, learned[known]] += 1.2
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        parts.append((shares / shares.sum(axis=1, keepdims=True)).astype(np.float32))
    table = pa.table(
        {
            "id": pa.concat_arrays([split.ids for split in splits]).cast(pa.string()),
            "split": pa.array([split.name for split in splits for _ in range(len(split.gold))]),
            "probabilities": _lists(np.concatenate(parts)),
        }
    )
    path = data / "predictions" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)
    logs = data / "logs" / name / "plots" / "metrics"
    (logs / "validation").mkdir(parents=True)
    steps = range(EVERY, STEPS + 1, EVERY)
    (logs / "loss.tsv").write_text("step\tloss\n" + "".join(f"{step}\t{4 / (step + 40):.5f}\n" for step in steps))
    scores = "".join(f"{step}\t{0.8 - 8 / (step + 20) + 0.01 * generator.random():.5f}\n" for step in steps)
    (logs / "validation" / "macro_f1.tsv").write_text("step\tmacro_f1\n" + scores)


def _write_edited(
    data: Path, settings: Settings, test: Split, classes: list[str], generator: np.random.Generator
) -> None:
    how = settings.perturb
    edits = ["unedited", *how.edits, *(f"chain {number + 1}" for number in range(how.chain))]
    rows = [
        (source, seed, identity, edit)
        for source in settings.sources
        for seed in settings.seeds[: how.seeds]
        for identity in test.ids[: how.rows].to_pylist()
        for edit in edits
    ]
    columns: dict[str, Any] = dict(
        zip(("source", "seed", "id", "edit"), map(list, zip(*rows, strict=True)), strict=True)
    )
    flags = {name: [value] * len(rows) for name, value in (("changed", True), ("read", True), ("cut", False))}
    said = np.array(classes)[generator.integers(0, 2, len(rows))].tolist()
    pq.write_table(pa.table(columns | {"label": said} | flags), data / "perturbed.parquet")
