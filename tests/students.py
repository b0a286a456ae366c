"""Tiny encoders with random weights, for the tests of training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from labelrisk.encoders import tokens
from labelrisk.settings.engine import EngineSettings
from labelrisk.settings.train import TrainSettings
from labelrisk.stages import train
from labelrisk.students.targets import Targets

WORDS = ["good", "bad", "fine", "poor", *(f"word{number}" for number in range(60))]
SPECIAL = ["<pad>", "<unk>", "<cls>", "<sep>"]
CLASSES = ["no", "yes", "perhaps"]


def recipe(**changes: Any) -> TrainSettings:
    values: dict[str, Any] = {"model": "x", "revision": None, "precision": "fp32", "budget": "epochs", "epochs": 2}
    values |= {"steps": 10, "least_steps": 1, "validate_every": None, "patience": None, "batch_size": 8}
    values |= {"evaluation_batch_size": 8, "learning_rate": 1e-3, "weight_decay": 0.1, "warmup_share": 0.1}
    return TrainSettings(**(values | {"dropout": 0.1, "max_tokens": 32} | changes))


def tiny_model(folder: Path, kind: str) -> Path:
    """Save a tiny encoder of a kind (bert, roberta, modernbert, distilbert) with its tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

    if kind == "modernbert":
        sizes: dict[str, Any] = {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
        sizes |= {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
    elif kind == "distilbert":
        sizes = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}
    else:
        sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = AutoConfig.for_model(
        kind, vocab_size=len(WORDS) + len(SPECIAL) + 200, max_position_embeddings=64, pad_token_id=0, **sizes
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        AutoModel.from_config(config).save_pretrained(folder)
    vocabulary = {word: at for at, word in enumerate(SPECIAL + WORDS)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="<cls> $A <sep>", special_tokens=[("<cls>", 2), ("<sep>", 3)]
    )
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<cls>", "sep_token": "<sep>"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder)
    return folder


def texts(count: int, seed: int = 0) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Texts of 3 to 20 words whose first word tells the class, and the class codes."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 2, count)
    rows = [" ".join([WORDS[code], *generator.choice(WORDS[4:], generator.integers(2, 20))]) for code in codes.tolist()]
    return rows, codes


def ids(count: int, seed: int = 0) -> tuple[tokens.Tokens, np.ndarray[Any, Any]]:
    """As `texts`, tokenised without a tokenizer."""
    vocabulary = {word: at for at, word in enumerate(SPECIAL + WORDS)}
    rows, codes = texts(count, seed)
    return tokens.ragged([[2, *(vocabulary[word] for word in row.split()), 3] for row in rows]), codes


def taught(count: int, seed: int = 0) -> tuple[tokens.Tokens, Targets]:
    """As `ids`, to be trained on."""
    rows, codes = ids(count, seed)
    return rows, Targets(codes=codes)


class Stage:
    """The files around one call of the train stage."""

    def __init__(self, folder: Path, model: str, also: dict[str, list[Any]] | None = None, **changes: Any) -> None:
        """also: columns of the training file beside those that it always has; 40 rows of train, 20 of validation."""
        self.folder, self.settings = folder, settings_of(recipe(model=model, **changes))
        rows, codes = texts(60)
        labels = [CLASSES[code] for code in codes]
        labels[3] = None  # type: ignore[call-overload]
        splits = ["train"] * 40 + ["validation"] * 20
        frame = {"id": [f"r{at}" for at in range(60)], "text": rows, "label": labels, "origin": "gold", "split": splits}
        pd.DataFrame(frame | (also or {})).to_parquet(folder / "training.parquet")
        test, gold = texts(15, seed=5)
        pd.DataFrame({"id": [f"t{at}" for at in range(15)], "text": test, "gold": gold}).to_parquet(
            folder / "test.parquet"
        )
        (folder / "labels.json").write_text(json.dumps(CLASSES))

    def run(self, name: str, seed: int = 0) -> tuple[Path, Path, Path]:
        """Train one student, with a store of its own; its model, predictions and logs."""
        root = self.folder / name
        (root / "training").mkdir(parents=True)
        shutil.copy(self.folder / "training.parquet", root / "training" / f"{seed}.parquet")
        shared = (self.folder / file for file in ("test.parquet", "labels.json", "labels.json"))
        outputs = [root / file for file in ("models", "predictions", "logs")]
        self.settings.seeds = (seed,)
        store, durations = root / "local" / "students", self.folder / "notes" / "durations.jsonl"
        train.run(self.settings, "gold", root / "training", *shared, store, *outputs, durations)
        return outputs[0] / str(seed), outputs[1] / f"{seed}.parquet", outputs[2] / str(seed)


def settings_of(how: TrainSettings, **sections: Any) -> Any:
    """What stages that train read of params.yaml; one student at a time, in this process."""
    return type("Settings", (), {"train": how, "engine": EngineSettings(jobs=1), **sections})()
