"""Speed and memory of `labelrisk predict` beside transformers.pipeline: `benchmarks/prediction.py [--memory ROWS]`.

Each measurement is a process of its own; those of all peers alternate, and medians are given.  The case: a student of
a study, or its ensemble, on news and policy sentences from ../shared/data, by `pipeline(...)(texts)` as it comes, with
batches, and with batches of texts sorted by length (an ensemble's students one after the other), and by us, with and
without the distances to train texts, and by a graph of `labelrisk export --format openvino`.  --memory labels so many
rows of short texts, in Parquet, instead, and the same number a tenth: what is held must not grow with rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding import FILES, ROOT, texts

SORTED = "pipeline_sorted"
PEERS = {
    "pipeline": "pipeline, as it comes",
    "pipeline_32": "pipeline, batch_size=32",
    SORTED: "pipeline, 32, sorted by length",
    "plain": "labelrisk, without distances",
    "whole": "labelrisk, whole",
    "graph": "labelrisk, --graph",
}
UNTIMED = 32  # texts at the start


def main() -> None:
    """Measure all peers or the memory, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifier", type=Path, default=ROOT / "classifiers" / "distilled")
    parser.add_argument("--rows", type=int, default=1000, help="texts per measurement of speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--graph", type=Path, help="folder for the peer graph")
    parser.add_argument("--memory", type=int, metavar="ROWS", help="peak memory of so many rows instead of speed")
    parser.add_argument("--one", nargs=2, metavar=("PEER", "ROWS"), help=argparse.SUPPRESS)
    parser.add_argument("--file", nargs=2, metavar=("IN", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not all(file.is_file() for file in FILES):
        print(f"skipped: {FILES[0]} or {FILES[1].parent.name} is not there")
    elif arguments.one:
        print(json.dumps(one(arguments.classifier, arguments.graph, arguments.one[0], int(arguments.one[1]))))
    elif arguments.file:
        print(json.dumps(labelled(arguments.classifier, *arguments.file)))
    elif arguments.memory:
        memory(arguments.classifier, arguments.memory)
    else:
        peers = [peer for peer in arguments.peers if peer != "graph" or arguments.graph is not None]
        speed(arguments.classifier, arguments.graph, peers, arguments.rows, arguments.rounds)


def speed(classifier: Path, graph: Path | None, peers: list[str], rows: int, rounds: int) -> None:
    """Print texts per second of time and of the cores' time, ratios to the first peer and SORTED, and equal labels."""
    measured: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
    labels: dict[str, list[str]] = {}
    of_graph = ["--graph", str(graph)] if graph is not None else []
    for _ in range(rounds):
        for peer in peers:
            found = process(classifier, *of_graph, "--one", peer, str(rows))
            labels[peer] = found.pop("labels")
            measured[peer].append(found)
    print(f"{rows} texts, median of {rounds}; load of the machine now: {os.getloadavg()[0]:.1f}")
    print(f"{'':32}{'texts/s':>9}{'ratio':>7}{'to sorted':>11}{'per CPU s':>11}", end="")
    print(f"{'ratio':>7}{'peak MB':>9}{'same labels':>13}")
    medians = {
        peer: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for peer, runs in measured.items()
    }
    base, by_length = medians[peers[0]], medians.get(SORTED)
    for peer, median in medians.items():
        print(f"{PEERS[peer]:32}{median['per_second']:9.1f}{median['per_second'] / base['per_second']:7.2f}", end="")
        print(f"{median['per_second'] / by_length['per_second']:11.2f}" if by_length else f"{'-':>11}", end="")
        print(f"{median['per_cpu']:11.1f}{median['per_cpu'] / base['per_cpu']:7.2f}{median['peak_mb']:9.0f}", end="")
        same = sum(one == other for one, other in zip(labels[peer], labels[peers[0]], strict=True))
        print(f"{100 * same / rows:12.2f}%")


def process(classifier: Path, *words: str) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--classifier", str(classifier), *words]
    usual = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}  # all cores, as it comes
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=usual)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(classifier: Path, graph: Path | None, peer: str, rows: int) -> dict[str, Any]:
    """Label, and be measured."""
    every = texts(rows)
    label = usual(classifier, peer) if peer.startswith("pipeline") else ours(classifier, graph, peer)
    label(every[:UNTIMED])
    started, used = time.perf_counter(), time.process_time()
    labels = label(every)
    wall, used = time.perf_counter() - started, time.process_time() - used
    return {"per_second": rows / wall, "per_cpu": rows / used, "peak_mb": peak(), "labels": labels}


def usual(classifier: Path, peer: str) -> Callable[[list[str]], list[str]]:
    """transformers' pipeline on each student's folder, as its documentation shows it; several vote by their mean."""
    from transformers import pipeline

    from labelrisk.classifiers.folders import read_form

    form = read_form(classifier)
    options: dict[str, Any] = {} if peer == "pipeline" else {"batch_size": 32}
    call: Any = pipeline
    students = [
        call("text-classification", str(classifier / member), device=-1, dtype="float32", top_k=None)
        for member in form.members
    ]

    def label(part: list[str]) -> list[str]:
        order = sorted(range(len(part)), key=lambda at: len(part[at])) if peer == SORTED else range(len(part))
        sums: list[dict[str, float]] = [{} for _ in part]
        for classify in students:
            said = classify([part[at] for at in order], truncation=True, max_length=form.max_tokens, **options)
            for at, answer in zip(order, said, strict=True):
                for of in answer:
                    code = int(of["label"].removeprefix("LABEL_")) if of["label"] not in form.classes else of["label"]
                    name = form.classes[code] if isinstance(code, int) else code
                    sums[at][name] = sums[at].get(name, 0.0) + of["score"]
        return [max(form.classes, key=lambda name: of[name]) for of in sums]

    return label


def ours(classifier: Path, graph: Path | None, peer: str) -> Callable[[list[str]], list[str]]:
    """labelrisk as its command does."""
    from labelrisk.encoders.memory_and_cores import share_cores

    share_cores(1)
    from labelrisk.applying.chunks import ROWS
    from labelrisk.classifiers.calibrated import CalibratedClassifier
    from labelrisk.classifiers.labelling import columns_of, say

    model = CalibratedClassifier(classifier, graph=graph if peer == "graph" else None)
    encoder, calibration = (model.encoder, model.calibration) if peer == "whole" else (None, None)

    def label(part: list[str]) -> list[str]:
        found: list[str] = []
        for at in range(0, len(part), ROWS):
            said = say(model, encoder, calibration, part[at : at + ROWS])
            found += columns_of(said, model.classes, calibration)["label"].to_pylist()
        return found

    return label


def memory(classifier: Path, rows: int) -> None:
    """Print the peak memory of the command for a tenth of the rows, and for all."""
    print(f"{'rows':>9}{'rows/s':>8}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for count in (rows // 10, rows):
            path = Path(folder) / f"{count}.parquet"
            code = f"import embedding as of, pandas; every = of.texts({count}); pandas.DataFrame("
            code += f"{{'text': [one[:40] for one in every], 'at': range({count})}}).to_parquet({str(path)!r})"
            subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
            found = process(classifier, "--file", str(path), str(path.with_suffix(".out.parquet")))
            print(f"{count:>9,}{count / found['seconds']:8.0f}{found['peak_mb']:9.0f}", flush=True)


def labelled(classifier: Path, path: str, out: str) -> dict[str, float]:
    """Run the command on a file."""
    from labelrisk.cli import main as run

    started = time.perf_counter()
    if run(["predict", "--in", path, "--out", out, "--classifier", str(classifier)]):
        sys.exit("labelrisk predict failed")
    return {"seconds": time.perf_counter() - started, "peak_mb": peak()}


def peak() -> float:
    """Megabytes that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
