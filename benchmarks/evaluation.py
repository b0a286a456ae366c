"""Time and memory of `evaluate` for a large study: 10 sources, 10 seeds, 10,000 test rows, 10 classes.

python benchmarks/evaluation.py [--sources 10] [--seeds 10] [--rows 10000] [--classes 10]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("prepared", "labels", "ballots", "baselines", "training", "predictions", "logs", "models")


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


def main() -> None:
    """Write the study, evaluate it in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("sources", 10), ("seeds", 10), ("rows", 10_000), ("classes", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_study(root, asked.sources, asked.seeds, asked.rows, asked.classes)
        paths = {name: f"data/{name}" for name in FOLDERS}
        paths |= {"runs": "data/runs/all.parquet", "metrics": "metrics", "plots": "plots"}
        words = [word for name, path in paths.items() for word in (f"--{name}", path)]
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "labelrisk", "evaluate", *words], cwd=root, check=True)
        seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{asked}: {seconds:.1f} s, {memory:.2f} GiB")


if __name__ == "__main__":
    main()
