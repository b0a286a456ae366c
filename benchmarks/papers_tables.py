"""The papers' tables as work: 4 sets x 5 conditions x 5 seeds of an encoder of roberta-base's size, on what is here.

Random weights of that shape, and rows of random tokens: sets and recipe are Lu & Smith's (arXiv 2504.15432: 5,000 train
and 2,000 test rows, 3 epochs of batches of 16), lengths are log-normal about the median of texts of each kind.  Only
the time means something: seconds, real tokens a second in training, and the share of the device's bf16 peak (the
maker's number where it is known, otherwise the rate of plain products).  Seeds of one condition are trained together.

    python benchmarks/papers_tables.py [--together 5] [--fraction 0.001 --shape tiny]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matrix_rate import matrix_rate, reading_flops, training_flops

from labelrisk.encoders.devices import device
from labelrisk.encoders.loading import quiet
from labelrisk.encoders.tokens import Tokens, ragged
from labelrisk.settings.train import TrainSettings
from labelrisk.students import training
from labelrisk.students.encoders import load_classifier
from labelrisk.students.runs import Lesson, seeds_of
from labelrisk.students.targets import Targets


class Set(NamedTuple):
    """A corpus: its classes, and the median and spread (of logarithms) of tokens per row."""

    classes: int
    median: int
    spread: float


SETS = {
    "imdb": Set(2, 230, 0.55),
    "ecommerce": Set(4, 90, 0.8),
    "manifestos": Set(3, 24, 0.6),
    "toxic": Set(3, 22, 0.5),
}
NOISE = {"gold": 0.0, "3B": 0.25, "7B": 0.15, "7B + entropy": 0.12, "7B + ensemble": 0.05}  # share of wrong labels
TRAIN, VALIDATION, TEST, SEEDS, LONGEST = 5000, 500, 2000, 5, 512
PEAKS = {"NVIDIA H200": 989e12, "NVIDIA H100": 989e12, "NVIDIA A100": 312e12}  # dense bf16, by the maker
SHAPES: dict[str, dict[str, int]] = {
    "base": {"vocab_size": 50265},
    "tiny": {"vocab_size": 500, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    | {"num_attention_heads": 4},
}
FIRST = 4  # tokens before this one are special


def encoder(shape: str, folder: Path) -> Path:
    """Save an encoder of a shape, with random weights."""
    from transformers import RobertaConfig, RobertaModel

    sizes: dict[str, Any] = {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    with torch.random.fork_rng(devices=[]), quiet():
        torch.default_generator.manual_seed(0)
        RobertaModel(RobertaConfig(**sizes, **SHAPES[shape])).save_pretrained(folder)
    return folder


def rows(kind: Set, count: int, words: int, generator: np.random.Generator) -> tuple[Tokens, np.ndarray[Any, Any]]:
    """Rows of a set, whose first word tells the class, and the classes."""
    lengths = np.exp(generator.normal(np.log(kind.median), kind.spread, count)).astype(int).clip(3, LONGEST)
    codes = generator.integers(0, kind.classes, count)
    tokens = [
        [0, FIRST + code, *generator.integers(FIRST, words, length - 3), 2]
        for code, length in zip(codes.tolist(), lengths.tolist(), strict=True)
    ]
    return ragged(tokens), codes


def table(
    name: str, folder: Path, recipe: TrainSettings, fraction: float, together: int, words: int
) -> dict[str, float]:
    """Train and test all students of one set; its seconds, tokens and FLOPs."""
    kind, generator = SETS[name], np.random.default_rng(0)
    parts = [rows(kind, max(2, round(count * fraction)), words, generator) for count in (TRAIN, VALIDATION, TEST)]
    (train, codes), (validation, of_validation), (test, _) = parts
    classes = [f"class {code}" for code in range(kind.classes)]
    start, flops, tokens = time.perf_counter(), 0.0, 0
    for noise in NOISE.values():
        for first in range(0, SEEDS, together):
            seeds = range(first, min(first + together, SEEDS))
            models, lessons = [], []
            for seed in seeds:
                wrong = np.random.default_rng(seed).random(len(codes)) < noise
                targets = Targets(codes=np.where(wrong, (codes + 1) % kind.classes, codes))
                lessons.append(Lesson(train, targets, validation, of_validation, seed))
                models.append(load_classifier(str(folder), None, classes, recipe.dropout, seeds_of(seed).head))
            for one in training.fine_tune_together(models, lessons, recipe):
                training.predict(one.model, test, recipe.evaluation_batch_size)
                flops += recipe.epochs * (training_flops(one.model, train.lengths))
                flops += recipe.epochs * reading_flops(one.model, validation.lengths)
                flops += reading_flops(one.model, test.lengths)
                tokens += recipe.epochs * int(train.lengths.sum())
    return {"seconds": time.perf_counter() - start, "flops": flops, "tokens": tokens}


def main() -> None:
    """Time the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=[*SETS])
    parser.add_argument("--fraction", type=float, default=1.0, help="of the rows: for a check that it runs to its end")
    parser.add_argument("--shape", choices=SHAPES, default="base", help="tiny: also for a check")
    parser.add_argument("--together", type=int, default=SEEDS, help="seeds in one pass; 1: one after the other")
    asked = parser.parse_args()
    recipe = TrainSettings(
        model="random", revision=None, precision="auto", budget="epochs", epochs=3, steps=1, least_steps=1,
        validate_every=None, patience=None, batch_size=16, evaluation_batch_size=256, learning_rate=2e-5,
        weight_decay=0.01, warmup_share=0.05, dropout=0.1, max_tokens=LONGEST,
    )  # fmt: skip
    where = device()
    name = torch.cuda.get_device_name() if where.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    measured = matrix_rate(where)
    peak = next((peak for known, peak in PEAKS.items() if name.startswith(known)), measured)
    print(f"{name}: bf16 peak {peak / 1e12:.2f} TFLOPS, plain products reach {measured / 1e12:.2f}", flush=True)
    print(f"{'set':<14}{'students':>9}{'seconds':>9}{'tokens/s':>12}{'share of peak':>15}")
    total: dict[str, float] = {"seconds": 0.0, "flops": 0.0, "tokens": 0.0}
    with tempfile.TemporaryDirectory() as place:
        folder = encoder(asked.shape, Path(place))
        words = SHAPES[asked.shape]["vocab_size"]
        for each in asked.sets:
            found = table(each, folder, recipe, asked.fraction, asked.together, words)
            print(_line(each, len(NOISE) * SEEDS, found, peak), flush=True)
            total = {key: total[key] + value for key, value in found.items()}
    print(_line("all", len(asked.sets) * len(NOISE) * SEEDS, total, peak))


def _line(name: str, students: int, found: dict[str, float], peak: float) -> str:
    seconds = found["seconds"]
    share = found["flops"] / seconds / peak
    return f"{name:<14}{students:>9}{seconds:>9.1f}{found['tokens'] / seconds:>12,.0f}{share:>15.2%}"


if __name__ == "__main__":
    main()
