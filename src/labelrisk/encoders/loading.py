"""Encoders by their names: a folder or a name of the hub, its tokenizer and its weights, and what may be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelrisk.embedded_model.weights import embedded_folder
from labelrisk.errors import LabelRiskError, shown

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def resolve(model: str, revision: str | None, section: str) -> str:
    """Return the folder or the hub name that `model` stands for: 'embedded', a folder, or a name with a revision.

    section: of params.yaml, whose keys they are.

    Raises LabelRiskError for an embedded model that is absent or altered, and for a hub name without revision.
    """
    if model == "embedded":
        return str(embedded_folder())
    if _is_folder(model):
        return model
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise LabelRiskError(
            f"{section}.model: there is no folder '{shown(model)}'; use 'embedded', a folder or a name on the hub"
        )
    if revision is None:
        raise LabelRiskError(
            f"{section}.model: '{model}' is no folder here, and a name on the hub needs {section}.revision; "
            "set it to the commit on the model's page, so that every run has the same weights"
        )
    return model


def load_tokenizer(model: str, revision: str | None) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a resolved model.

    Raises LabelRiskError when it can't be had, knows no words, or more tokens than the model.
    """
    from transformers import AutoConfig, AutoTokenizer

    with quiet(), worded(model, revision):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            model, revision=revision or "main", trust_remote_code=False
        )
        if len(tokenizer) <= len(tokenizer.all_special_ids):  # transformers makes one up where its files are absent
            raise ValueError("its tokenizer knows no words")
        tokenizer("A text.")  # some damage shows when a text is read
        config = AutoConfig.from_pretrained(model, revision=revision or "main", trust_remote_code=False)
        if len(tokenizer) > getattr(config, "vocab_size", len(tokenizer)):
            raise ValueError(f"its tokenizer knows {len(tokenizer)} tokens, the model {config.vocab_size}")
    return tokenizer


def load_encoder(model: str, revision: str | None, dtype: Any) -> PreTrainedModel:
    """Load a resolved model without a head, in a type of torch.  Raises LabelRiskError when it can't be loaded."""
    from transformers import AutoModel

    with quiet(), worded(model, revision):
        loaded, report = AutoModel.from_pretrained(
            model,
            revision=revision or "main",
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        if loaded.config.is_encoder_decoder:
            raise ValueError("it writes texts: it is an encoder with a decoder")
        check_weights(loaded, [name for name in report["missing_keys"] if "pooler" not in name])  # which isn't read
    encoder: PreTrainedModel = loaded
    return encoder


def check_length(model: PreTrainedModel, max_tokens: int, section: str) -> None:
    """Raise LabelRiskError when the model has fewer positions than `max_tokens`."""
    positions = positions_of(model.config)
    if positions is not None and max_tokens > positions:
        raise LabelRiskError(
            f"{section}.max_tokens is {max_tokens}, but the model reads at most {positions} tokens; lower "
            f"{section}.max_tokens"
        )


def positions_of(config: Any) -> int | None:
    """The most tokens that a model of this configuration reads; None where it has no such bound."""
    positions: int | None = getattr(config, "max_position_embeddings", None)
    if positions is not None and config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"):
        positions -= config.pad_token_id + 1  # their positions count from the one after padding
    return positions


def check_weights(model: PreTrainedModel, missing: Iterable[str]) -> None:
    """Raise ValueError for an encoder of which parts are fresh, as transformers makes them up, or are no numbers.

    missing: the names of what the file lacks, without what may be fresh.
    """
    lacking = sorted(missing)
    if lacking:
        raise ValueError(f"its weights lack {lacking[0]} and {len(lacking) - 1} more")
    for name, weights in model.named_parameters():
        lowest, highest = weights.aminmax()  # both are no number where one weight is none; reads each weight once
        if not (lowest.isfinite() and highest.isfinite()):
            raise ValueError(f"its weights {name} hold what is no number")


def _is_folder(model: str) -> bool:
    try:
        return Path(model).is_dir()
    except OSError:  # a name too long
        return False


@contextmanager
def worded(model: str, revision: str | None) -> Iterator[None]:
    """Turn the many errors of loading into one sentence."""
    try:
        yield
    except Exception as error:  # transformers, tokenizers and safetensors each raise their own, and Python's
        where = model if revision is None else f"{model} at revision {revision}"
        cause = shown(str(error).strip().partition("\n")[0].rstrip("."), 200) or type(error).__name__
        hint = "that the folder is a complete model" if _is_folder(model) else "the name, the revision and the network"
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
