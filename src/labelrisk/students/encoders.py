"""The student's encoder: where it comes from, its tokenizer, and its classification head."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelrisk.embedded_model.weights import embedded_folder
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# where configurations of encoders keep their dropout; None stands for another of them
DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "dropout",
    "attention_dropout",
    "seq_classif_dropout",
    "embedding_dropout",
    "mlp_dropout",
)


def resolve(model: str, revision: str | None) -> str:
    """Return the folder or the hub name that `model` stands for: 'embedded', a folder, or a name with a revision.

    Raises LabelRiskError for an embedded model that is absent or altered, and for a hub name without revision.
    """
    if model == "embedded":
        return str(embedded_folder())
    if Path(model).is_dir():
        return model
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise LabelRiskError(
            f"train.model: there is no folder '{model}'; use 'embedded', a folder or a name on the hub"
        )
    if revision is None:
        raise LabelRiskError(
            f"train.model: '{model}' is no folder here, and a name on the hub needs train.revision; "
            "set it to the commit on the model's page, so that every run trains the same weights"
        )
    return model


def load_tokenizer(model: str, revision: str | None) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a resolved model; raises LabelRiskError when it can't be had."""
    from transformers import AutoTokenizer

    with quiet(), _worded(model, revision):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            model, revision=revision or "main", trust_remote_code=False
        )
    return tokenizer


def load_classifier(
    model: str, revision: str | None, classes: Sequence[str], dropout: float, seed: int
) -> PreTrainedModel:
    """Load a resolved model in fp32 with a fresh head for `classes`, initialised from `seed` alone.

    The recipe's dropout replaces the model's wherever it has one.  Raises LabelRiskError when it can't be loaded.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    with quiet(), _worded(model, revision):
        config = AutoConfig.from_pretrained(
            model,
            revision=revision or "main",
            trust_remote_code=False,
            num_labels=len(classes),
            id2label=dict(enumerate(classes)),
            label2id={name: code for code, name in enumerate(classes)},
        )
        config.problem_type = "single_label_classification"
        for name in DROPOUTS:
            if getattr(config, name, None) is not None:
                setattr(config, name, dropout)
        # transformers draws fresh weights from torch's global generator: lend it a state of our own
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            loaded: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
                model,
                revision=revision or "main",
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
            )
    return loaded


def check_length(model: PreTrainedModel, max_tokens: int) -> None:
    """Raise LabelRiskError when the model has fewer positions than `max_tokens`."""
    config = model.config
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        return
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"):
        positions -= config.pad_token_id + 1  # their positions count from the one after padding
    if max_tokens > positions:
        raise LabelRiskError(
            f"train.max_tokens is {max_tokens}, but the model reads at most {positions} tokens; lower train.max_tokens"
        )


@contextmanager
def _worded(model: str, revision: str | None) -> Iterator[None]:
    """Turn the many errors of loading into one sentence."""
    try:
        yield
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        where = model if revision is None else f"{model} at revision {revision}"
        cause = str(error).strip().split("\n")[0][:200] or type(error).__name__
        hint = "a complete model folder" if Path(model).is_dir() else "the name, the revision and the network"
        raise LabelRiskError(f"the model {where} can't be loaded ({cause}); check {hint}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' bars and reports of fresh heads."""
    from transformers.utils import logging

    logger: Any = logging
    level, bars = logger.get_verbosity(), logger.is_progress_bar_enabled()
    logger.set_verbosity_error()
    logger.disable_progress_bar()
    try:
        yield
    finally:
        logger.set_verbosity(level)
        if bars:
            logger.enable_progress_bar()
