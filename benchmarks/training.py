"""Speed and accuracy of fine-tuning against the usual recipe: `python benchmarks/training.py [--accuracy]`.

Each measurement is a process of its own, as a run is; those of all peers alternate, and medians are given.  The case:
MiniLM on 3,021 news sentences (BABE, 41 tokens on average), batches of 16, from ../shared/data.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "babe_media_bias" / "data.parquet"
PEERS = {
    "usual": "Trainer, fp32, padded to 128",
    "bucketed": "Trainer, fp32, grouped by length",
    "bucketed_bf16": "Trainer, bf16, grouped by length",
    "ours": "labelrisk",
}
BATCH, RATE, DECAY, WARMUP, DROPOUT = 16, 1e-4, 0.01, 0.05, 0.1
UNTIMED = 3  # steps at the start


def main() -> None:
    """Measure all peers, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=480, help="training rows per measurement of speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--accuracy", action="store_true", help="also compare accuracy on a held-out fifth (slow)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--against", choices=PEERS, default="usual", help="whom accuracy is compared with")
    parser.add_argument("--one", nargs=4, metavar=("PEER", "ROWS", "EPOCHS", "SEED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not DATA.is_file():
        print(f"skipped: {DATA} is not there")
        return
    if arguments.one:
        peer, *numbers = arguments.one
        print(json.dumps(one(peer, *(int(number) for number in numbers))))
        return
    speed(arguments.peers, arguments.rows, arguments.rounds)
    if arguments.accuracy:
        accuracy((arguments.against, "ours"), arguments.seeds)


def speed(peers: list[str], rows: int, rounds: int) -> None:
    """Print examples per second, whole-process time and peak memory of each peer."""
    measured: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
    for number in range(rounds):
        for peer in peers:
            measured[peer].append(process(peer, rows, 1, number))
    medians = {
        peer: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for peer, runs in measured.items()
    }
    base = medians[peers[0]]["examples_per_second"]
    print(f"{rows} rows, 1 epoch, median of {rounds}; load of the machine now: {os.getloadavg()[0]:.1f}")
    print(f"{'':34}{'examples/s':>11}{'ratio':>7}{'fastest':>9}{'start-up s':>11}{'process s':>11}{'peak MB':>9}")
    for peer, median in medians.items():
        rate = median["examples_per_second"]
        fastest = max(run["examples_per_second"] for run in measured[peer])
        print(f"{PEERS[peer]:34}{rate:11.1f}{rate / base:7.1f}{fastest:9.1f}", end="")
        print(f"{median['startup']:11.1f}{median['process']:11.1f}{median['peak_mb']:9.0f}")


def accuracy(peers: tuple[str, str], seeds: int) -> None:
    """Print the held-out accuracy per seed of both peers, trained on four fifths for 3 epochs."""
    scores: dict[str, list[float]] = {peer: [] for peer in peers}
    for seed in range(seeds):
        for peer in peers:
            run = process(peer, 0, 3, seed)
            scores[peer].append(run["accuracy"])
            print(f"seed {seed} {PEERS[peer]:34} accuracy {run['accuracy']:.3f} in {run['process']:.0f} s", flush=True)
    for peer, values in scores.items():
        print(
            f"{PEERS[peer]:34} accuracy {statistics.mean(values):.4f}, between {min(values):.3f} and {max(values):.3f}"
        )


def process(peer: str, rows: int, epochs: int, seed: int) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, str(Path(__file__)), "--one", peer, str(rows), str(epochs), str(seed)]
    # what the train stage sets for itself, for all: another process on the cores would slow the peers far more
    environment = {"GOMP_SPINCOUNT": "2000"} | os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result | {"process": time.perf_counter() - start}


def one(peer: str, rows: int, epochs: int, seed: int) -> dict[str, float]:
    """Train once; accuracy is on the held-out fifth, where `rows` is 0 (all of the other four fifths)."""
    start = time.perf_counter()
    from labelrisk.encoders import loading
    from labelrisk.students import encoders

    texts, codes, classes = material(rows)
    model = encoders.load_classifier(loading.resolve("embedded", None, "train"), None, classes, DROPOUT, seed)
    train = ours if peer == "ours" else trainer
    times, hits = train(peer, model, texts, codes, epochs, seed)
    return {
        "examples_per_second": (len(texts[0]) * epochs - UNTIMED * BATCH) / (times[-1] - times[UNTIMED - 1]),
        "startup": times[UNTIMED - 1] - start,
        "accuracy": float(hits.mean()),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def material(rows: int) -> tuple[list[list[str]], list[Any], list[str]]:
    """Texts and class codes of train and held-out rows, and the classes; without `rows`, a fifth is held out."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(DATA, columns=["text", "gold", "split"]).to_pylist()
    table = [row for row in table if row["split"] == "train_dev"]
    classes = sorted({row["gold"] for row in table})
    order = np.random.default_rng(0).permutation(len(table))
    held, kept = (order[: len(table) // 5], order[len(table) // 5 :])
    if rows:
        held, kept = held[:32], kept[:rows]
    texts = [[table[at]["text"] for at in part] for part in (kept, held)]
    codes = [np.array([classes.index(table[at]["gold"]) for at in part]) for part in (kept, held)]
    return texts, codes, classes


def ours(
    peer: str, model: Any, texts: list[list[str]], codes: list[Any], epochs: int, seed: int
) -> tuple[list[float], Any]:
    """labelrisk's training; the times at which steps ended, and which held-out rows were right.

    The held-out rows stand in for validation, but the last epoch's weights predict, as with the peers.
    """
    from labelrisk.encoders import loading
    from labelrisk.encoders.tokens import tokenise
    from labelrisk.settings.train import TrainSettings
    from labelrisk.students import runs, training
    from labelrisk.students.targets import Targets

    recipe = TrainSettings(
        model="embedded", revision=None, precision="auto", threads=os.cpu_count() or 1, budget="epochs",
        steps=1, epochs=epochs, least_steps=1, validate_every=None, patience=None, batch_size=BATCH,
        evaluation_batch_size=32, learning_rate=RATE, weight_decay=DECAY, warmup_share=WARMUP, dropout=DROPOUT,
        max_tokens=128,
    )  # fmt: skip
    tokenizer = loading.load_tokenizer(loading.resolve("embedded", None, "train"), None)
    tokens = [tokenise(tokenizer, part, recipe.max_tokens) for part in texts]
    times: list[float] = []
    runs.STEPS_BETWEEN_LOSSES = 1
    predictions: list[Any] = []

    def log(step: int, metrics: dict[str, float]) -> None:
        if "loss" in metrics:
            times.append(time.perf_counter())

    predict = training.predict

    def last(*arguments: Any) -> Any:
        predictions.append(predict(*arguments))
        return predictions[-1]

    training.predict = last  # type: ignore[assignment]
    training.fine_tune(model, tokens[0], Targets(codes=codes[0]), tokens[1], codes[1], recipe, seed, log)
    return times, predictions[-1].argmax(axis=1) == codes[1]


def trainer(
    peer: str, model: Any, texts: list[list[str]], codes: list[Any], epochs: int, seed: int
) -> tuple[list[float], Any]:
    """transformers.Trainer with the same recipe; the times at which steps ended, and which held-out rows were right."""
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

    from labelrisk.encoders import loading

    padded = peer == "usual"
    tokenizer = loading.load_tokenizer(loading.resolve("embedded", None, "train"), None)
    rows = [
        [
            dict(
                tokenizer(text, truncation=True, max_length=128, padding="max_length" if padded else False), labels=code
            )
            for text, code in zip(part, each.tolist(), strict=True)
        ]
        for part, each in zip(texts, codes, strict=True)
    ]
    times: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *ignored: Any, **also: Any) -> None:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_train_epochs=epochs, per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=32, learning_rate=RATE, weight_decay=DECAY, warmup_steps=WARMUP, seed=seed,
            use_cpu=True, bf16=peer == "bucketed_bf16", save_strategy="no", report_to="none", disable_tqdm=True,
            logging_steps=10, train_sampling_strategy="random" if padded else "group_by_length",
        )  # fmt: skip
        run = Trainer(
            model=model, args=arguments, train_dataset=rows[0], eval_dataset=rows[1],
            data_collator=DataCollatorWithPadding(tokenizer), callbacks=[Clock()],
        )  # fmt: skip
        run.train()
        output = run.predict(rows[1])  # in an order of its own where it groups by length
    return times, output.predictions.argmax(axis=1) == output.label_ids


if __name__ == "__main__":
    main()
