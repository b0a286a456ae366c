"""Time and memory of the stages after training for a large study: 20 sources, 5 seeds, 10,000 test rows, 10 classes.

Each stage is a process of its own; `explain` says how long each explanation took.

python benchmarks/evaluation.py [--sources 20] [--seeds 5] [--rows 10000] [--classes 10]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from large_studies import FOLDERS, Size, write_all_runs, write_study

from labelrisk.explanations.contract import Explain, Explanation
from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.params import load

FILES = {"distilled": "distilled.parquet", "edited": "perturbed.parquet"}  # of explain, in the folder of data
PATHS = {name: Path("data") / name for name in FOLDERS} | {name: Path("data") / path for name, path in FILES.items()}
PATHS |= {name: Path(name) for name in ("models", "metrics", "plots", "explanations")} | {"store": Path("store")}
ALL_RUNS = Path("data/runs/all.parquet")
OUTPUTS: dict[str, dict[str, Path]] = {
    "evaluate": {"runs": ALL_RUNS},
    "ensemble": {"runs": ALL_RUNS, "metrics": Path("metrics/ensembles.json"), "plots": Path("plots/ensembles.csv")}
    | {"predictions": Path("data/ensembles.parquet"), "chosen": Path("classifiers/chosen")},
    "explain": {"out": Path("explanations")},
    "report": {"runs": ALL_RUNS, "out": Path("report")},
}


def run_stage(name: str) -> None:
    """Run one stage on the study in the current folder; `explain` says how long each explanation took."""
    stage = importlib.import_module(f"labelrisk.stages.{name}")

    def timed(explanation: str, explain: Explain) -> Explain:
        def run(evidence: Evidence) -> Explanation:
            started = time.perf_counter()
            found = explain(evidence)
            print(f"    {explanation}: {time.perf_counter() - started:.1f} s", flush=True)
            return found

        return run

    if name == "explain":
        vars(stage)["EXPLANATIONS"] = {key: timed(key, explain) for key, explain in EXPLANATIONS.items()}
    paths = {key: path for key, path in PATHS.items() if key in inspect.signature(stage.run).parameters}
    stage.run(load(Path("params.yaml")), **(paths | OUTPUTS[name]))


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
    for name, default in (("sources", 20), ("seeds", 5), ("rows", 10_000), ("classes", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--stage", choices=OUTPUTS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage:
        run_stage(asked.stage)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = write_study(root, Size(asked.sources, asked.seeds, asked.rows, asked.classes))
        write_all_runs(root, settings)
        for source in settings.sources:  # whose weights no stage here reads
            for seed in settings.seeds:
                (root / "models" / source / str(seed)).mkdir(parents=True)
        print(f"{asked.sources} sources, {asked.seeds} seeds, {asked.rows:,} test rows, {asked.classes} classes")
        for name in OUTPUTS:
            measured(name, [sys.executable, str(Path(__file__).resolve()), "--stage", name], root)
        print(f"the page: {(root / 'report' / 'index.html').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
