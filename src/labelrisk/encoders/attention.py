"""Attention over short rows on the CPU, registered with transformers under NAME.

PyTorch's fused attention has no dropout on the CPU and loses to plain batched products on rows of some dozen tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "labelrisk"
# encoders whose layers all take a mask of four dimensions as it is; sliding windows, as ModernBERT's, would be lost
TAKE_MASKS = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert")
LONGEST = 512  # tokens of rows that are not trained on: of longer ones all products at once would fill the memory


class Masks(Protocol):
    """Where dropout keeps what."""

    def draw(self, shape: torch.Size, p: float, dtype: torch.dtype) -> tuple[Tensor, float]:
        """1 where it is kept and 0 where not, the latter with probability p; and what is kept is multiplied by."""


class _Attended(torch.autograd.Function):
    """dropout(softmax(q k' + bias)) v for q of shape (B, H, L, D), k and v of shape (B, H, M, D); q is scaled."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, kept: Tensor | None, scale: float
    ) -> Tensor:
        shape = (*q.shape[:3], k.shape[2])
        q, k, v = (part.reshape(-1, *part.shape[2:]) for part in (q, k, v))
        scores = torch.bmm(q, k.transpose(1, 2))
        if bias is not None:
            scores = (scores.view(shape) + bias).view(scores.shape)
        # softmax into fp32 is twice as fast as into bf16, and more exact
        shares = torch.softmax(scores, -1, dtype=torch.float32)
        weights = shares.to(v.dtype)
        if kept is not None:
            kept = kept.view(weights.shape)
            weights = torch.addcmul(weights.new_zeros(()), weights, kept, value=scale)
        ctx.save_for_backward(q, k, v, shares, weights, kept)
        ctx.scale, ctx.shape = scale, shape
        return torch.bmm(weights, v).view(*shape[:3], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, shares, weights, kept = ctx.saved_tensors
        batch, heads, *_ = ctx.shape
        gradient = gradients[0].reshape(-1, *gradients[0].shape[2:])
        of_v = torch.bmm(weights.transpose(1, 2), gradient)
        of_weights = torch.bmm(gradient, v.transpose(1, 2))
        if kept is not None:
            of_weights = torch.addcmul(of_weights.new_zeros(()), of_weights, kept, value=ctx.scale)
        of_scores = torch._softmax_backward_data(of_weights.float(), shares, -1, torch.float32).to(q.dtype)
        of_q = torch.bmm(of_scores, k)
        of_k = torch.bmm(of_scores.transpose(1, 2), q)
        q, k, v = (part.view(batch, heads, *part.shape[1:]) for part in (of_q, of_k, of_v))
        return q, k, v, None, None, None


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: returns the output of shape (B, L, H, D), and no weights."""
    masks: Masks | None = getattr(module, "dropout_masks", None)
    if key.shape[1] != query.shape[1] or (masks is None and (dropout > 0 or key.shape[2] > LONGEST)):
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
        return output, None
    kept, scale = None, 1.0
    if masks is not None and dropout > 0:
        shape = torch.Size((*query.shape[:3], key.shape[2]))
        kept, scale = masks.draw(shape, dropout, value.dtype)
    scaled = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    attended: Tensor = _Attended.apply(scaled, key, value, attention_mask, kept, scale)  # type: ignore[no-untyped-call]
    return attended.transpose(1, 2), None


def takes_masks(model: PreTrainedModel) -> bool:
    """May a model be given a mask of four dimensions?

    Of one of two dimensions, transformers asks whether anything is padded: an accelerator is then waited for, and
    torch.func can't tell.
    """
    return model.config.model_type in TAKE_MASKS and not getattr(model.config, "is_decoder", False)


def spread(present: Tensor) -> Tensor:
    """A mask of four dimensions, (..., 1, W, W), of where tokens are, (..., W)."""
    width = present.shape[-1]
    return present[..., None, None, :].expand(*present.shape[:-1], 1, width, width)


def attend_so(model: PreTrainedModel) -> None:
    """Let a model attend as here, where its layers can take attention from elsewhere."""
    if getattr(model, "_supports_attention_backend", False) or model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(NAME)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, eager_mask)
