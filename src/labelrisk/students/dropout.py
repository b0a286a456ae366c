"""Dropout on the CPU from cheap random bits, and attention that uses it.

PyTorch draws one random number per element from its global generator; here 16 bits decide over an element, drawn in
bulk from a generator of the run.  Source: dropout as in Srivastava et al. 2014 (https://jmlr.org/papers/v15/srivastava14a.html).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LEVELS = 2**16
DRAW = 2**18  # 64-bit numbers per draw: 2 MiB, a million decisions


class Masks:
    """A stream of dropout masks that depends on the seed and the order of requests only."""

    def __init__(self, seed: int | np.random.SeedSequence) -> None:
        self._generator = np.random.Generator(np.random.SFC64(seed))
        self._bits = torch.empty(0, dtype=torch.int16)

    def draw(self, shape: torch.Size, p: float, dtype: torch.dtype) -> tuple[Tensor, float]:
        """Return a mask of 0 (drop, with probability p to the nearest 1/65536) and 1, and 1 / (share kept)."""
        dropped = min(round(p * LEVELS), LEVELS - 1)
        count = math.prod(shape)
        if count > len(self._bits):
            numbers = max(DRAW, -(-count // 4))
            drawn = self._generator.integers(0, 2**64, numbers, dtype=np.uint64)
            self._bits = torch.from_numpy(drawn.view(np.int16))
        bits, self._bits = self._bits[:count], self._bits[count:]
        kept = torch.empty(count, dtype=dtype)
        torch.ge(bits, dropped - LEVELS // 2, out=kept)
        return kept.view(shape), LEVELS / (LEVELS - dropped)


class _Dropped(torch.autograd.Function):
    """x * kept * scale, in one pass over memory each way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return _scaled(x, kept, scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return _scaled(gradients[0], kept, ctx.scale), None, None


def _scaled(x: Tensor, kept: Tensor, scale: float) -> Tensor:
    # addcmul multiplies in fp32 also where x is bf16; x * (kept * scale) would round the scale itself
    return torch.addcmul(x.new_zeros(()), x, kept, value=scale)


class MaskedDropout(nn.Module):
    """nn.Dropout with masks from a stream."""

    def __init__(self, p: float, masks: Masks) -> None:
        super().__init__()
        self.p = p
        self.masks = masks

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept, scale = self.masks.draw(x.shape, self.p, x.dtype)
        dropped: Tensor = _Dropped.apply(x, kept, scale)  # type: ignore[no-untyped-call]
        return dropped
