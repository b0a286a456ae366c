"""`evaluate` for many students, beside the usual recipe, and over corpora of up to 10 million train rows.

python benchmarks/scale_evaluate.py [--largest 100000]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from large_studies import Size
from scale_table import Line, main, sizes

TEST_ROWS, SEEDS, CLASSES = 10_000, 5, 10
STUDENTS = (25, 50, 100)
OF_CORPUS = Size(sources=5, seeds=2, test_rows=TEST_ROWS, classes=CLASSES, with_gold=0.1, vectors=False)
RESAMPLES = 100  # of the usual recipe, which often has 1,000; evaluate itself needs none
RECIPE = f"f1_score and accuracy_score student by student, {RESAMPLES} resamples of rows, krippendorff.alpha"
HERE = Path(__file__).resolve()
ARGUMENTS = """--prepared data/prepared --labels data/labels --ballots data/ballots --baselines data/baselines
    --training data/training --predictions data/predictions --logs data/logs --models models --store .labelrisk/students
    --runs data/runs/all.parquet --metrics metrics --plots plots"""


def lines(largest: int) -> Iterator[Line]:
    """Students at 10,000 test rows, then corpora of more and more train rows."""
    for students in STUDENTS:
        size = Size(sources=students // SEEDS, seeds=SEEDS, test_rows=TEST_ROWS, classes=CLASSES)
        with tempfile.TemporaryDirectory() as folder:
            _written(Path(folder), size)
            seconds, gigabytes = _evaluated(Path(folder))
            usual, _ = _measured([sys.executable, str(HERE), "--usual", folder], Path(folder))
        yield Line("evaluate", TEST_ROWS, seconds, gigabytes, students, usual=usual, recipe=RECIPE)
    for rows in sizes(largest):
        size = OF_CORPUS._replace(train_rows=rows)
        with tempfile.TemporaryDirectory() as folder:
            _written(Path(folder), size)
            seconds, gigabytes = _evaluated(Path(folder))
        yield Line("evaluate, rows to train on", rows, seconds, gigabytes, size.sources * size.seeds)


def usual_recipe(root: Path) -> None:
    """What one writes by hand: scores of each student, bounds of each source's gap to the first, alpha of the seeds."""
    import krippendorff
    from sklearn.metrics import accuracy_score, f1_score

    data = root / "data"
    gold_names = pq.read_table(data / "prepared" / "test.parquet", columns=["gold"])["gold"].to_pylist()
    gold = np.array([int(name.removeprefix("class_")) for name in gold_names])
    predicted: dict[str, list[np.ndarray]] = {}
    for folder in sorted((data / "predictions").iterdir()):
        for path in sorted(folder.iterdir()):
            rows = pq.read_table(path).to_pandas()
            shares = np.stack(rows[rows["split"] == "test"]["probabilities"].tolist())
            predicted.setdefault(folder.name, []).append(shares.argmax(axis=1))
    generator = np.random.default_rng(0)
    draws = [generator.integers(0, len(gold), len(gold)) for _ in range(RESAMPLES)]

    def means(source: str) -> list[float]:
        return [
            float(np.mean([f1_score(gold[draw], one[draw], average="macro") for one in predicted[source]]))
            for draw in draws
        ]

    reference = np.array(means("gold"))
    for source, runs in predicted.items():
        scores = [(f1_score(gold, one, average="macro"), accuracy_score(gold, one)) for one in runs]
        gap = np.array(means(source)) - reference
        alpha = krippendorff.alpha(reliability_data=np.stack(runs), level_of_measurement="nominal")
        print(source, np.mean(scores, axis=0), np.quantile(gap, [0.025, 0.975]), alpha)


def _written(root: Path, size: Size) -> None:
    """In a process of its own, whose memory is not taken for that of the next one."""
    words = [f"{name}={value}" for name, value in size._asdict().items()]
    subprocess.run([sys.executable, str(HERE), "--write", str(root), *words], check=True)


def _evaluated(root: Path) -> tuple[float, float]:
    return _measured([sys.executable, "-m", "labelrisk", "evaluate", *ARGUMENTS.split()], root)


def _measured(command: Sequence[str], root: Path) -> tuple[float, float]:
    """Seconds, and GB at the highest,."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent.parent / "src")}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"{' '.join(command[:4])} failed")
    return time.perf_counter() - started, used.ru_maxrss * 1024 / 1e9


def _write(root: Path, words: Sequence[str]) -> None:
    from large_studies import write_study

    asked = dict(word.split("=") for word in words)
    kinds = {name: type(value) for name, value in Size()._asdict().items()}
    values = {name: asked[name] == "True" if kind is bool else kind(asked[name]) for name, kind in kinds.items()}
    write_study(root, Size(**values))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        _write(Path(sys.argv[2]), sys.argv[3:])
    elif sys.argv[1:2] == ["--usual"]:
        usual_recipe(Path(sys.argv[2]))
    else:
        main(lines, __doc__)
