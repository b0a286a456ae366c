"""Exact shortcuts through an encoder in training: the same function and the same gradients, with less to compute."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from labelrisk.encoders.tokens import padding_id
from labelrisk.students.dropout import MaskedDropout, Masks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# encoders whose layers are built like BERT's and whose heads read the first token only
FIRST_TOKEN_ONLY = ("bert", "roberta", "xlm-roberta", "camembert", "electra")


class LookUp(nn.Module):
    """An embedding in fp32 of the ids that occur: gradients are summed in fp32, and rows that don't occur cost nothing.

    Gives vectors in `dtype`.
    """

    places: Tensor | None

    def __init__(self, embedding: nn.Embedding, dtype: torch.dtype, used: NDArray[np.int64] | None = None) -> None:
        """used: the ids that occur, ascending; None for all."""
        super().__init__()
        self.dtype = dtype
        self.padding_idx = embedding.padding_idx
        self.weight = embedding.weight
        places = None
        if used is not None:
            where = torch.from_numpy(used).to(embedding.weight.device)
            held = embedding.weight.detach()[where].clone()
            self.weight = nn.Parameter(held, requires_grad=embedding.weight.requires_grad)
            places = torch.zeros(embedding.num_embeddings, dtype=torch.int64, device=where.device)
            places[where] = torch.arange(len(used), device=where.device)
            if self.padding_idx is not None:
                self.padding_idx = int(np.searchsorted(used, self.padding_idx))
        self.register_buffer("places", places, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        ids = ids if self.places is None else self.places[ids]
        return functional.embedding(ids, self.weight, self.padding_idx).to(self.dtype)


class WideLinear(nn.Module):
    """The head's last layer, in fp32: probabilities would otherwise come in steps of half a percent."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.float(), self.weight.float(), None if self.bias is None else self.bias.float())


class FastLayers:
    """Faster layers in the place of a model's own, until `leave`."""

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype, ids: NDArray[np.int32], masks: Masks | None) -> None:
        """Replace them, for inputs that hold `ids` only; `masks` replaces PyTorch's dropout (None: as it is)."""
        self.model = model
        self._replaced: list[tuple[nn.Module, str, nn.Module]] = []
        self._attention = model.config._attn_implementation
        self._used = self._compactable(ids)
        self._layer: nn.Module | None = None
        words = model.get_input_embeddings()
        self._words: tuple[nn.Embedding, LookUp] | None = None
        heads = [name for name, module in model.named_modules() if is_head(module, model.config.num_labels)]
        children = [(parent, name, child) for parent in model.modules() for name, child in parent.named_children()]
        for parent, name, module in children:
            if isinstance(module, nn.Embedding):
                used = self._used if module is words else None
                replacement: nn.Module = LookUp(module, dtype, used)
                if isinstance(replacement, LookUp) and used is not None:
                    self._words = (module, replacement)
            elif isinstance(module, nn.Dropout) and masks is not None:
                replacement = MaskedDropout(module.p, masks)
            elif heads and module is model.get_submodule(heads[-1]) and isinstance(module, nn.Linear):
                replacement = WideLinear(module)
            else:
                continue
            self._replaced.append((parent, name, module))
            setattr(parent, name, replacement)
        if masks is not None:
            self._attend(masks)
        self._layer = first_token_only(model)
        for module in model.modules():
            if not isinstance(module, LookUp):
                for parameter in module.parameters(recurse=False):
                    parameter.data = parameter.data.to(dtype)

    def _compactable(self, ids: NDArray[np.int32]) -> NDArray[np.int64] | None:
        """The ids whose vectors are trained, or None where the table serves another purpose as well."""
        words = self.model.get_input_embeddings()
        if not isinstance(words, nn.Embedding) or self.model.get_output_embeddings() is not None:
            return None
        return np.union1d(ids, [self.padding]).astype(np.int64)

    @property
    def padding(self) -> int:
        """The id that pads."""
        return padding_id(self.model)

    def _attend(self, masks: Masks) -> None:
        from labelrisk.encoders.attention import attend_so

        attend_so(self.model)
        for module in self.model.modules():
            module.dropout_masks = masks  # type: ignore[assignment]

    def leave(self, decay: float, dtype: torch.dtype) -> None:
        """Undo all: the model is plain again, in `dtype`; rows of words that did not occur are scaled by `decay`.

        AdamW on the whole table does the same to a row whose gradient is always 0: each step multiplies it by
        1 - learning rate * weight decay.
        """
        if self._words is not None and self._used is not None and self._words[0].weight.requires_grad:
            words, held = self._words
            words.weight.data = words.weight.data * decay  # not in place: the file's pages may be mapped
            words.weight.data[torch.from_numpy(self._used)] = held.weight.data
        for parent, name, module in self._replaced:
            setattr(parent, name, module)
        if self._layer is not None:
            del self._layer.forward
        if self.model.config._attn_implementation != self._attention:
            self.model.set_attn_implementation(self._attention)
        for module in self.model.modules():
            module.__dict__.pop("dropout_masks", None)
        self.model.to(dtype)


def first_token_only(model: PreTrainedModel) -> nn.Module | None:
    """Let the last layer compute what the head reads; returns it, or None where the head may read more."""
    if model.config.model_type not in FIRST_TOKEN_ONLY or model.config.is_decoder:
        return None
    layer: Any = model.base_model.encoder.layer[-1]
    layer.forward = MethodType(_first_token, layer)
    return layer  # type: ignore[no-any-return]


def is_head(module: nn.Module, classes: int) -> bool:
    return isinstance(module, nn.Linear) and module.out_features == classes


def _first_token(
    layer: Any, hidden_states: Tensor, attention_mask: Tensor | None = None, *ignored: Any, **options: Any
) -> Tensor:
    """A last layer of BERT's kind, for its first token only: shape (B, L, D) -> (B, 1, D).

    Keys and values need all tokens; queries, products and the feed-forward part only those that the head reads.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    inner = layer.attention.self
    batch = hidden_states.shape[0]  # not len(): a graph that is traced would hold the number
    first = hidden_states[:, :1]
    query, key, value = (
        of(states).view(batch, -1, inner.num_attention_heads, inner.attention_head_size).transpose(1, 2)
        for of, states in ((inner.query, first), (inner.key, hidden_states), (inner.value, hidden_states))
    )
    if attention_mask is not None:
        attention_mask = attention_mask[..., :1, :]
    attend = ALL_ATTENTION_FUNCTIONS[inner.config._attn_implementation]
    dropout = inner.dropout.p if inner.training else 0.0
    attended, _ = attend(inner, query, key, value, attention_mask, dropout=dropout, scaling=inner.scaling)
    output: Tensor = layer.feed_forward_chunk(layer.attention.output(attended.reshape(batch, 1, -1), first))
    return output
