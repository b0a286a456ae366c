"""Time and memory of `evaluate` and `explain` for a large study: 10 sources, 10 seeds, 10,000 test rows, 10 classes.

Each stage is a process of its own; `explain` says how long each explanation took.

python benchmarks/evaluation.py [--sources 10] [--seeds 10] [--rows 10000] [--classes 10]
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from labelrisk.comparison.runs import runs_in, write_runs
from labelrisk.corpora.prepared import Prepared
from labelrisk.explanations.contract import Explain, Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.params import load
from labelrisk.settings.distil import DISTILLED
from labelrisk.stages import explain as stage
from labelrisk.vectors.vectors_file import write_vectors

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("prepared", "labels", "ballots", "baselines", "training", "predictions", "logs", "models")
FILES = {"distilled": "distilled.parquet", "edited": "perturbed.parquet"}  # of explain, in the folder of data
DIMENSIONS = 384
ERRORS = 0.2  # of the annotator's labels, and in part the same by chance


def write_study(root: Path, sources: int, seeds: int, rows: int, classes: int) -> None:
    """Write params.yaml and what the earlier stages would have written."""
    generator = np.random.default_rng(0)
    names = [f"class_{code}" for code in range(classes)]
    declared: dict[str, Any] = {"gold": {"annotator": "gold"}}
    declared |= {f"source_{number}": {"annotator": "llm"} for number in range(1, sources)}
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content |= {"sources": declared, "seeds": list(range(seeds)), "panels": {}, "ensemble": {"across": []}}
    content["annotators"] = {"gold": {"kind": "gold", "reads": "x"}, "llm": {"kind": "import", "reads": "x"}}
    content["annotators"]["llm"]["label"] = "label"
    content["baseline"] = {"kinds": ["words"]}
    (root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    data = root / "data"
    for folder in FOLDERS:
        (data / folder).mkdir(parents=True)
    test, train = generator.integers(0, classes, rows), generator.integers(0, classes, 1000)
    frames = {}
    for split, gold in (("train", train), ("validation", train[:200]), ("test", test)):
        ids = [f"{split}{number}" for number in range(len(gold))]
        frames[split] = pd.DataFrame({"id": ids, "text": "text", "gold": [names[code] for code in gold]})
        frames[split].to_parquet(data / "prepared" / f"{split}.parquet")
    (data / "prepared" / "labels.json").write_text(json.dumps(names))
    every = pd.concat([frame.assign(split=split) for split, frame in frames.items()])
    every.assign(label=every["gold"], status="ok", cost=0.0).to_parquet(data / "labels" / "llm.parquet")
    frames["test"].assign(label=frames["test"]["gold"])[["id", "label"]].to_parquet(data / "baselines/words.parquet")
    labelled = frames["train"].assign(label=frames["train"]["gold"], split="train", origin="annotator")
    labelled = labelled.assign(labeller="llm", why=None)
    difficulty = generator.standard_normal(rows)
    run_ids = pd.concat([frames["validation"]["id"], frames["test"]["id"]], ignore_index=True)
    for source in declared:
        for folder in ("training", "predictions", "logs", "models"):
            (data / folder / source).mkdir()
        for seed in range(seeds):
            labelled.to_parquet(data / "training" / source / f"{seed}.parquet")
            right = 1 + difficulty + 0.5 * generator.standard_normal(rows) > 0
            predicted = np.where(right, test, (test + 1) % classes)
            shares = np.full((len(run_ids), classes), 0.02, dtype=np.float32)
            shares[np.arange(200, len(run_ids)), predicted] = 0.8
            run = {"id": run_ids, "split": ["validation"] * 200 + ["test"] * rows, "probabilities": list(shares)}
            pd.DataFrame(run).to_parquet(data / "predictions" / source / f"{seed}.parquet")
            logs = data / "logs" / source / str(seed) / "plots" / "metrics"
            (logs / "validation").mkdir(parents=True)
            (logs / "loss.tsv").write_text("step\tloss\n50\t1.0\n100\t0.05\n")
            (logs / "validation" / "macro_f1.tsv").write_text("step\tmacro_f1\n50\t0.7\n100\t0.75\n")


def write_more(root: Path, classes: int) -> None:
    """Write what `explain` reads beside that: sentence vectors, and probabilities of the annotator's labels."""
    generator = np.random.default_rng(1)
    data = root / "data"

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = generator.standard_normal((len(texts), DIMENSIONS), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    write_vectors(Prepared(data / "prepared"), encode, DIMENSIONS, data / "vectors")
    labels = pd.read_parquet(data / "labels" / "llm.parquet")
    shares = generator.dirichlet(np.ones(classes), len(labels))
    wrong = generator.random(len(labels)) < ERRORS
    said_of = labels["label"].where(~wrong, generator.permutation(labels["label"].to_numpy()))
    labels.assign(label=said_of, probabilities=list(shares)).to_parquet(data / "labels" / "llm.parquet")
    settings = load(root / "params.yaml")
    read = runs_in(data / "predictions")
    first, said = next(iter(settings.sources)), Prepared(data / "prepared").classes
    write_runs(data / FILES["distilled"], lambda *_: read(first, 0), [DISTILLED], [settings.distil.seed])
    ids = Prepared(data / "prepared").split("test", ["id"])["id"][: settings.perturb.rows]
    edits = ["unedited", *settings.perturb.edits, *(f"chain {number + 1}" for number in range(settings.perturb.chain))]
    columns = {"source": settings.sources, "seed": settings.seeds[: settings.perturb.seeds], "id": ids, "edit": edits}
    edited = pd.MultiIndex.from_product(list(map(list, columns.values())), names=list(columns)).to_frame(index=False)
    flags = {"changed": True, "read": True, "cut": False}
    edited = edited.assign(label=generator.choice(said, len(edited)), **flags)
    edited.to_parquet(data / FILES["edited"], index=False)


def explain_timed(root: Path) -> None:
    """Do what the stage does, with a line for the time of each explanation."""
    os.chdir(root)

    def timed(name: str, explain: Explain) -> Explain:
        def run(evidence: Evidence) -> Explanation:
            started = time.perf_counter()
            found = explain(evidence)
            print(f"    {name}: {time.perf_counter() - started:.1f} s", flush=True)
            return found

        return run

    vars(stage)["EXPLANATIONS"] = {name: timed(name, explain) for name, explain in EXPLANATIONS.items()}
    needed = inspect.signature(stage.run).parameters
    folders = {name: Path("data") / name for name in needed if name not in ("settings", "out", *FILES)}
    files = {name: Path("data") / path for name, path in FILES.items()}
    stage.run(load(Path("params.yaml")), **folders, **files, out=Path("explanations"))


def measured(name: str, command: Sequence[str], root: Path) -> None:
    """Run a command, and print the time and the most memory that it took."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=root)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name} failed")
    print(f"{name}: {time.perf_counter() - started:.1f} s, {used.ru_maxrss / 2**20:.2f} GiB", flush=True)


def main() -> None:
    """Write the study, and run each stage in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("sources", 10), ("seeds", 10), ("rows", 10_000), ("classes", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--explain", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.explain:
        explain_timed(asked.explain)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_study(root, asked.sources, asked.seeds, asked.rows, asked.classes)
        write_more(root, asked.classes)
        paths = {name: f"data/{name}" for name in FOLDERS}
        paths |= {"runs": "data/runs/all.parquet", "metrics": "metrics", "plots": "plots"}
        words = [word for name, path in paths.items() for word in (f"--{name}", path)]
        print(f"{asked.sources} sources, {asked.seeds} seeds, {asked.rows:,} test rows, {asked.classes} classes")
        measured("evaluate", [sys.executable, "-m", "labelrisk", "evaluate", *words], root)
        measured("explain", [sys.executable, str(Path(__file__).resolve()), "--explain", str(root)], root)


if __name__ == "__main__":
    main()
