"""Tiny encoders with random weights, for the tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from labelrisk.settings.train import TrainSettings
from labelrisk.students import tokens

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
