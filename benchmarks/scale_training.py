"""Training on all cores: examples a second on BABE beside transformers.Trainer, and the share of the matrix rate.

MiniLM, batches of 32, news sentences of 41 tokens on average, from ../shared/data.  Share: the arithmetic of real
tokens (matrix_rate.py) a second, of what plain bf16 products reach with as many threads in as many processes at once.
The usual recipe is Trainer in fp32, all rows padded to 128 tokens, its seconds those of a quarter as many rows times 4.

    python benchmarks/scale_training.py [--largest 100000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import scale_table
import training as peers
from scale_table import Line

ROWS, BATCH = 960, 32
PARTS = 3  # of a process: rate, training, rate


def lines(largest: int) -> Iterator[Line]:
    """As many students as cores, and one student with all cores; of few rows, whatever `largest` is."""
    if not peers.DATA.is_file():
        print(f"skipped: {peers.DATA} is not there", file=sys.stderr)
        return
    cores = os.cpu_count() or 1
    rows = min(ROWS, largest)
    (usual,) = measured("usual", rows // 4, 1, cores)
    for students, threads in {(cores, 1), (1, cores)}:
        found = measured("ours", rows, students, threads)
        speed = sum(one["examples_per_second"] for one in found)
        share = sum(one["flops_per_second"] for one in found) / sum(one["rate"] for one in found)
        yield Line(
            f"training, {threads} cores a student",
            rows=rows * students,
            seconds=rows * students / speed,
            gigabytes=max(one["peak_mb"] for one in found) / 1024,
            students=students,
            usual=rows * students / usual["examples_per_second"],
            recipe=f"Trainer, fp32, padded to 128; {speed:.0f} examples/s here, {share:.0%} of the matrix rate "
            f"({sum(one['rate'] for one in found) / 1e9:.0f} GFLOPS)",
        )


def measured(peer: str, rows: int, students: int, threads: int) -> list[dict[str, float]]:
    """Let so many processes train at the same time, and measure the matrix rate together before and after."""
    command = [sys.executable, __file__, "--one", peer, str(rows), str(threads)]
    root = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": str(threads)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes: list[Any] = [subprocess.Popen(command, env=environment, **pipes) for _ in range(students)]
    for _ in range(PARTS):  # each waits for a line after each of its parts, so that all begin the next one together
        for process in processes:
            process.stdout.readline()
        for process in processes:
            process.stdin.write("go on\n")
            process.stdin.flush()
    said = [process.stdout.read() for process in processes]
    for process in processes:
        if process.wait():
            sys.exit(f"a process that trains ended with {process.returncode}")
    return [json.loads(text.splitlines()[-1]) for text in said]  # Trainer prints as well


def one(peer: str, rows: int, threads: int) -> None:
    """Be one process."""
    from labelrisk.encoders.memory_and_cores import share_cores

    share_cores(threads)
    import numpy as np
    import torch
    from matrix_rate import matrix_rate, training_flops

    from labelrisk.encoders import loading
    from labelrisk.encoders.tokens import tokenise
    from labelrisk.students import encoders

    texts, _, classes = peers.material(rows)
    name = loading.resolve("embedded", None, "train")
    lengths = tokenise(loading.load_tokenizer(name, None), texts[0], 128).lengths
    flops = training_flops(encoders.load_classifier(name, None, classes, 0.1, 0), lengths) / rows
    peers.BATCH = BATCH

    def together() -> None:
        print("ready", flush=True)
        input()

    together()
    rates = [matrix_rate(torch.device("cpu"))]
    together()
    result = peers.one(peer, rows, 1, 0)
    together()
    rates.append(matrix_rate(torch.device("cpu")))
    speed = {"flops_per_second": flops * result["examples_per_second"], "rate": float(np.mean(rates))}
    print(json.dumps(result | speed), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("--one", nargs=3)
        who, *numbers = parser.parse_args().one
        one(who, *map(int, numbers))
    else:
        scale_table.main(lines, __doc__)
