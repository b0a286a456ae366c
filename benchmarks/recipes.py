"""How long, and at which rate, students must train: macro-F1 on test over rows, rates and steps, on three corpora.

Gold labels; MiniLM, batches of 32, one thread.  Each student is a line of the file --out, with its validation curve;
what is there is not trained again, so that a run may be stopped and go on.  `--table` prints what the file holds:
macro-F1, and in brackets the share of test rows on which the seeds agree pairwise.

    python benchmarks/recipes.py --out recipes.jsonl [--corpora apidocs babe policy] [--rows 100 300] [--part 0/2]
    python benchmarks/recipes.py --out recipes.jsonl --table
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
CORPORA, ROWS, RATES, STEPS, SEEDS = (
    ["apidocs", "babe", "policy"], [100, 300, 1000, 2500], [5e-5, 1e-4, 2e-4, 4e-4], [40, 160, 320], [0, 1],
)  # fmt: skip
VALIDATION, TEST, MAX_TOKENS = 200, 900, 48


def texts(corpus: str) -> pd.DataFrame:
    """text and gold of a corpus, in a fixed random order."""
    if corpus == "apidocs":
        from labelrisk.corpora.apidocs.corpus import apidocs_rows

        rows = apidocs_rows()[0]
    else:
        folder = {"babe": "babe_media_bias", "policy": "tc_policy_uk"}[corpus]
        rows = pd.read_parquet(SHARED / folder / "data.parquet")
    rows = rows[["text", "gold"]].dropna().drop_duplicates("text").reset_index(drop=True)
    return rows.iloc[np.random.default_rng(0).permutation(len(rows))]


def student(corpus: str, frame: pd.DataFrame, rows: int, rate: float, steps: int, seed: int) -> dict[str, Any]:
    """Train one student; returns what it is, its curve, and its predictions on test."""
    import torch

    from labelrisk.encoders import loading
    from labelrisk.encoders.tokens import tokenise
    from labelrisk.settings.train import TrainSettings
    from labelrisk.statistics.scores import confusion, macro_f1
    from labelrisk.students import encoders, runs, training
    from labelrisk.students.targets import Targets

    torch.set_num_threads(1)
    classes = sorted(frame["gold"].unique())
    codes = frame["gold"].map({name: code for code, name in enumerate(classes)}).to_numpy()
    ends = np.cumsum([VALIDATION, TEST, rows])
    validation, test, train = (slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True))
    settings = TrainSettings(
        model="embedded", revision=None, precision="auto", budget="steps", steps=steps, epochs=3, least_steps=1,
        validate_every=steps // 8, patience=None, batch_size=32, evaluation_batch_size=64, learning_rate=rate,
        weight_decay=0.01, warmup_share=0.05, dropout=0.1, max_tokens=MAX_TOKENS,
    )  # fmt: skip
    found = loading.resolve("embedded", None, "train")
    tokenizer = loading.load_tokenizer(found, None)
    model = encoders.load_classifier(found, None, classes, settings.dropout, runs.seeds_of(seed).head)
    tokens = {
        name: tokenise(tokenizer, frame["text"].iloc[part].tolist(), MAX_TOKENS)
        for name, part in (("train", train), ("validation", validation), ("test", test))
    }
    curve: list[tuple[int, float]] = []
    losses: list[tuple[int, float]] = []

    def log(step: int, metrics: dict[str, float]) -> None:
        if "validation/macro_f1" in metrics:
            curve.append((step, round(metrics["validation/macro_f1"], 4)))
        else:
            losses.append((step, round(metrics["loss"], 4)))

    started = time.perf_counter()
    tuned = training.fine_tune(
        model, tokens["train"], Targets(codes=codes[train]), tokens["validation"], codes[validation],
        settings, seed, log,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    predicted = training.predict(tuned.model, tokens["test"], 64).argmax(1)
    return {
        "corpus": corpus, "rows": rows, "rate": rate, "steps": steps, "seed": seed, "best": tuned.step,
        "macro_f1": round(float(macro_f1(confusion(codes[test], predicted, len(classes)))), 4),
        "seconds": round(seconds, 1), "curve": curve, "losses": losses, "predicted": predicted.tolist(),
    }  # fmt: skip


def table(path: Path) -> None:
    """Print macro-F1 and pairwise agreement over seeds, a block for each corpus."""
    done = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    for corpus, of_corpus in done.groupby("corpus", sort=False):
        cells: dict[Any, dict[Any, str]] = {}
        for (rows, rate, steps), runs in of_corpus.groupby(["rows", "rate", "steps"]):
            predicted = np.array(runs["predicted"].tolist())
            pairs = [np.mean(one == other) for one, other in itertools.combinations(predicted, 2)]
            agree = f" ({100 * np.mean(pairs):.0f})" if pairs else ""
            cells.setdefault((rows, rate), {})[steps] = f"{100 * runs['macro_f1'].mean():.1f}{agree}"
        laid_out = pd.DataFrame(cells).T.rename_axis(["rows", "rate"]).sort_index().sort_index(axis=1).fillna("-")
        print(f"\n{corpus}\n{laid_out.to_string()}")


def main() -> None:
    """Train what is missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--corpora", nargs="+", default=CORPORA)
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS)
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--steps", nargs="+", type=int, default=STEPS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--part", default="0/1", help="K/N: every Nth student, from the Kth")
    asked = parser.parse_args()
    if asked.table:
        table(asked.out)
        return
    part, parts = (int(number) for number in asked.part.split("/"))
    keys = ["corpus", "rows", "rate", "steps", "seed"]
    lines = asked.out.read_text().splitlines() if asked.out.exists() else []
    done = {tuple(json.loads(line)[key] for key in keys) for line in lines}
    wanted = list(itertools.product(asked.corpora, asked.rows, asked.rates, asked.steps, asked.seeds))
    frames: dict[str, pd.DataFrame] = {}
    for one in [one for one in wanted if one not in done][part::parts]:
        frames.setdefault(one[0], texts(one[0]))
        found = student(one[0], frames[one[0]], *one[1:])
        with asked.out.open("a") as file:
            file.write(json.dumps(found) + "\n")
        print(*(found[key] for key in [*keys, "macro_f1", "seconds"]), flush=True)


if __name__ == "__main__":
    main()
