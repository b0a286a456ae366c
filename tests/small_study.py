"""A small finished study on disk, with known answers, for the tests of the last two stages."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.params import Settings

CLASSES = ["north", "south", "west"]
SEEDS = (0, 1, 2)
FOLDERS = (
    "prepared",
    "labels",
    "ballots",
    "baselines",
    "training",
    "predictions",
    "logs",
    "models",
    "metrics",
    "plots",
)
TEST_GOLD = np.repeat([0, 1, 2], [30, 20, 10])


def settings(**changes):
    """Sources: perfect (gold labels), constant (always the first class), wavering (right in 2 of 3 seeds)."""
    content = {
        "codebook": "codebook.yaml",
        "corpus": {"kind": "files", "path": "texts.csv"},
        "annotators": {
            "gold": {"kind": "gold", "reads": "codebook.yaml"},
            "llm": {"kind": "import", "reads": "labels.csv", "label": "label"},
        },
        "panels": {},
        "sources": {
            "perfect": {"annotator": "gold"},
            "constant": {"annotator": "llm"},
            "wavering": {"annotator": "llm", "select": {"by": "random", "share": 0.5}, "action": "gold"},
        },
        "seeds": list(SEEDS),
        "prepare": {"validation_share": 0.1, "test_share": 0.2, "seed": 0}
        | {"train_rows": None, "validation_rows": None, "test_rows": None},
        "annotate": {"concurrency": 1, "timeout": 1, "retries": 0},
        "baseline": {"kinds": ["words"]},
        "filter": {"seed": 0, "validation_labels": "gold"},
        "train": {
            "model": "embedded",
            "revision": None,
            "precision": "fp32",
            "budget": "epochs",
            "epochs": 1,
            "batch_size": 4,
        }
        | {"steps": 10, "least_steps": 1, "validate_every": None, "patience": None}
        | {"evaluation_batch_size": 4, "learning_rate": 0.1, "weight_decay": 0, "warmup_share": 0, "dropout": 0}
        | {"max_tokens": 8},
        "evaluate": {"reference": "perfect", "margin": 0.02, "confidence": 0.95},
        "ensemble": {"across": ["perfect", "wavering"]},
    }
    return Settings.model_validate(content | changes)


def student(source, seed):
    """What the student predicts on the test rows, as codes."""
    if source == "perfect":
        return TEST_GOLD
    if source == "constant":
        return np.zeros_like(TEST_GOLD)
    rows = np.arange(len(TEST_GOLD))
    return np.where(rows % len(SEEDS) == seed, (TEST_GOLD + 1) % 3, TEST_GOLD)


def write_study(root: Path) -> dict[str, Path]:
    """Write prepared, labels, training, predictions, logs and models below `root`; returns the paths of all."""
    paths = {name: root / name for name in FOLDERS}
    for path in paths.values():
        path.mkdir()
    rows = {
        "train": pd.DataFrame({"id": [f"a{i}" for i in range(10)], "gold": ["north"] * 4 + ["south"] * 4 + [None] * 2}),
        "validation": pd.DataFrame({"id": ["v0", "v1"], "gold": ["north", "west"]}),
        "test": pd.DataFrame({"id": [f"t{i:02d}" for i in range(60)], "gold": [CLASSES[code] for code in TEST_GOLD]}),
    }
    for split, frame in rows.items():
        frame.assign(text="text of " + frame["id"]).to_parquet(paths["prepared"] / f"{split}.parquet")
    (paths["prepared"] / "labels.json").write_text(json.dumps(CLASSES))
    _write_labels(paths["labels"], rows)
    # right in the first half of the rows, else always the first class
    words = [CLASSES[code] if place < 30 else CLASSES[0] for place, code in enumerate(TEST_GOLD)]
    pd.DataFrame({"id": rows["test"]["id"], "label": words}).to_parquet(paths["baselines"] / "words.parquet")
    _write_training(paths["training"], rows["train"])
    for source in settings().sources:
        for seed in SEEDS:
            write_run(paths, source, seed, rows)
    return paths


def _write_labels(folder, rows):
    every = pd.concat([frame.assign(split=split) for split, frame in rows.items()], ignore_index=True)
    every.assign(label=every["gold"], status="ok", cost=0.0)[["id", "split", "label", "status", "cost"]].to_parquet(
        folder / "gold.parquet"
    )
    llm = every.assign(label=every["gold"].fillna("west"), status="ok", cost=0.001)
    llm.loc[llm["id"].isin(["a0", "t00", "t01", "t02"]), ["label", "status"]] = [None, "refusal"]
    llm.loc[llm["id"].isin(["a1", "t03", "t04", "t05"]), "label"] = "west"
    # The order of the rows is the annotator's business; evaluate goes by id.
    llm[["id", "split", "label", "status", "cost"]].iloc[::-1].to_parquet(folder / "llm.parquet")


def _write_training(folder, train):
    rows = train[["id"]].assign(text="text", label=["north", "south"] * 5, origin="annotator", split="train")
    rows = rows.assign(labeller="llm", why=None)
    more = rows[:3].assign(split="validation", origin="gold")
    dropped = rows.assign(
        label=[*rows["label"][:9], None], origin=["gold"] * 3 + ["noise"] * 2 + ["annotator"] * 4 + ["dropped_no_label"]
    )
    for source, frame in (("perfect", rows), ("constant", rows), ("wavering", dropped)):
        (folder / source).mkdir()
        for seed in SEEDS:
            pd.concat([frame, more], ignore_index=True).to_parquet(folder / source / f"{seed}.parquet")


def write_run(paths, source, seed, rows):
    """Write the predictions, logs and model of one run."""
    test = np.where(np.arange(3) == student(source, seed)[:, None], 0.8, 0.1).astype(np.float32)
    validation = np.full((len(rows["validation"]), 3), 1 / 3, dtype=np.float32)
    frame = pd.DataFrame(
        {
            "id": pd.concat([rows["validation"]["id"], rows["test"]["id"]], ignore_index=True),
            "split": ["validation"] * len(validation) + ["test"] * len(test),
            "probabilities": [*validation, *test],
        }
    )
    for name in ("predictions", "logs", "models"):
        (paths[name] / source).mkdir(exist_ok=True)
    frame.to_parquet(paths["predictions"] / source / f"{seed}.parquet")
    (paths["models"] / source / str(seed)).mkdir()
    (paths["models"] / source / str(seed) / "model.safetensors").write_text("weights")
    logs = paths["logs"] / source / str(seed) / "plots" / "metrics"
    logs.mkdir(parents=True)
    (logs / "loss.tsv").write_text("step\tloss\n1\t3.0\n2\t1.0\n3\t0.5\n4\t0.05\n")
    (logs / "validation").mkdir()
    (logs / "validation" / "macro_f1.tsv").write_text("step\tmacro_f1\n2\t0.5\n4\t0.75\n")


def run_evaluate(paths, content, runs=None):
    """Run the stage evaluate with settings on the files of write_study."""
    from labelrisk.stages import evaluate

    runs = runs or paths["metrics"].parent / "runs.parquet"
    store = paths["metrics"].parent / "local" / "students"
    evaluate.run(content, **{name: paths[name] for name in FOLDERS}, store=store, runs=runs)


def write_vectors(folder, prepared, dimensions=4):
    """Sentence vectors of all rows of write_study, drawn from their ids."""
    from labelrisk.corpora.prepared import Prepared
    from labelrisk.vectors import vectors_file

    def encode(texts):
        rows = [np.random.default_rng(sum(map(ord, text))).standard_normal(dimensions) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), dimensions)

    vectors_file.write_vectors(Prepared(prepared), encode, dimensions, folder)


def write_edited(path, content):
    """What students say of every fifth test row, edited in four ways: `wavering` turns to the first class under typos,
    and by the second edit of a chain, in two rows of three.
    """
    rows = range(0, len(TEST_GOLD), 5)
    variants = ("unedited", "upper", "typos", "chain 1", "chain 2")
    frame = pd.DataFrame(
        {"id": f"t{row:02d}", "source": source, "seed": seed, "edit": edit, "changed": edit != "unedited"}
        | {"read": edit not in ("unedited", "upper"), "cut": False}
        | {"label": CLASSES[0 if turns else student(source, seed)[row]]}
        for source in content.sources
        for seed in SEEDS[:2]
        for row in rows
        for edit in variants
        for turns in [source == "wavering" and edit in ("typos", "chain 2") and row % 3 > 0]
    )
    frame.to_parquet(path, index=False)


def run_explain(paths, content):
    """Run evaluate, then explain, with settings on the files of write_study; returns the folder of explanations."""
    from labelrisk.comparison.runs import runs_in, write_runs
    from labelrisk.stages import explain

    root = paths["metrics"].parent
    run_evaluate(paths, content, root / "runs" / "all.parquet")
    write_vectors(root / "vectors", paths["prepared"])
    folders = {name: paths[name] for name in ("prepared", "labels", "baselines", "training", "logs")}
    write_edited(root / "perturbed.parquet", content)
    beside = {"vectors": root / "vectors", "runs": root / "runs", "edited": root / "perturbed.parquet"}
    beside["distilled"] = root / "distilled.parquet"
    write_runs(beside["distilled"], lambda *_: runs_in(paths["predictions"])("wavering", 0), ["distilled"], [0])
    explain.run(content, **folders, **beside, out=root / "explanations")
    return root / "explanations"


def load_small_study(paths, content):
    """The study of settings and the files of write_study."""
    from labelrisk.comparison.runs import runs_in
    from labelrisk.comparison.study_loading import load_study
    from labelrisk.corpora.prepared import Prepared

    folders = {name: paths[name] for name in ("labels", "baselines", "training", "logs")}
    return load_study(content, Prepared(paths["prepared"]), runs=runs_in(paths["predictions"]), **folders)
