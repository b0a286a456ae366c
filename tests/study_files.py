"""A small study on disk: a corpus, a codebook and params.yaml, for tests that start at the door."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

CODEBOOK = {
    "task": "Say what the sentence is about.",
    "labels": {"weather": "Rain, sun, wind and heat.", "food": "Meals, cooking and taste."},
}
SUBJECTS = {"weather": ["rain", "sun", "wind", "snow", "heat"], "food": ["soup", "bread", "rice", "salad", "cake"]}
PLACES = ["north", "south", "east", "west", "valley", "harbour", "market", "village"]

PARAMS: dict[str, Any] = {
    "codebook": "codebook.yaml",
    "corpus": {"kind": "files", "path": "texts.csv"},
    "annotators": {
        "gold": {"kind": "gold", "reads": "codebook.yaml"},
        "model": {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": "embedded", "shots": 2},
    },
    "panels": {},
    "second_opinions": {},
    "sources": {
        "gold": {"annotator": "gold"},
        "model": {"annotator": "model"},
        "model_gold": {"annotator": "model", "select": {"by": "entropy", "share": 0.25}, "action": "gold"},
    },
    "seeds": [0, 1],
    "prepare": {"validation_share": 0.2, "test_share": 0.25, "seed": 0}
    | {"train_rows": None, "validation_rows": None, "test_rows": None},
    "annotate": {"concurrency": 8, "timeout": 5, "retries": 2},
    "embed": {},
    "perturb": {"rows": 4, "seeds": 1, "edits": ["upper", "typos"], "chain": 2},
    "distil": {},
    "calibrate": {},
    "explain": {},
    "share": {"texts": True},
    "curve": {"sizes": [], "sources": [], "seeds": 3, "steps": None},
    "baseline": {"kinds": ["words"]},
    "filter": {"seed": 0, "validation_labels": "gold"},
    "train": {
        "model": "embedded",
        "revision": None,
        "precision": "auto",
        "budget": "epochs",
        "epochs": 1,
        "batch_size": 8,
    }
    | {"steps": 10, "least_steps": 1, "validate_every": None, "patience": None}
    | {"evaluation_batch_size": 32, "learning_rate": 0.0003, "weight_decay": 0.01, "warmup_share": 0.1}
    | {"dropout": 0.1, "max_tokens": 32},
    "evaluate": {"reference": "gold", "margin": 0.02, "confidence": 0.95},
    "ensemble": {"across": ["model"]},
}


PLAIN = {name: PARAMS["sources"][name] for name in ("gold", "model")}  # sources that need no class probabilities


def texts() -> pd.DataFrame:
    """80 rows: text, gold."""
    rows = [
        {"text": f"There is {noun} in the {place}.", "gold": label}
        for label, nouns in SUBJECTS.items()
        for noun in nouns
        for place in PLACES
    ]
    return pd.DataFrame(rows)


def params(**changes: Any) -> dict[str, Any]:
    """PARAMS with sections replaced."""
    return copy.deepcopy(PARAMS) | changes


def write_study(root: Path, content: dict[str, Any] | None = None, rows: pd.DataFrame | None = None) -> None:
    """Write texts.csv, codebook.yaml and params.yaml below `root`."""
    (texts() if rows is None else rows).to_csv(root / "texts.csv", index=False)
    (root / "codebook.yaml").write_text(yaml.safe_dump(CODEBOOK, sort_keys=False))
    (root / "params.yaml").write_text(yaml.safe_dump(params() if content is None else content, sort_keys=False))
