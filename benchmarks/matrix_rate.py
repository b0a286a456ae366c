"""How much of what a device can multiply training uses: its arithmetic by formula, and the rate of plain products."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

TOKENS = {"cpu": (1024, 1344, 2048), "cuda": (8192, 16384)}  # rows of the products that are tried
WIDTHS = {"cpu": ((384, 384), (384, 1536), (1024, 1024)), "cuda": ((4096, 4096), (8192, 8192))}


def matrices(model: Any) -> int:
    """Weights in matrices that each token is multiplied by: linear layers of the encoder, no embeddings, no head."""
    from torch import nn

    from labelrisk.students.encoders import is_of_head

    return sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not is_of_head(model, name)
    )


def training_flops(model: Any, lengths: NDArray[np.integer[Any]]) -> float:
    """Of one step on rows of so many tokens: 6 x weights in matrices x tokens + attention, without any padding.

    Attention: q k' and its product with v are 2 x 2 x L^2 x D a layer forward, and twice that backward.  What need not
    be computed counts as well: the last layer is computed for the first token alone.
    """
    return 3 * reading_flops(model, lengths)


def reading_flops(model: Any, lengths: NDArray[np.integer[Any]]) -> float:
    """Of one forward pass."""
    config, tokens = model.config, lengths.astype(np.float64)
    attention = 4 * config.num_hidden_layers * config.hidden_size * (tokens**2).sum()
    return float(2 * matrices(model) * tokens.sum() + attention)


def matrix_rate(where: torch.device, dtype: torch.dtype = torch.bfloat16, seconds: float = 0.1) -> float:
    """FLOPs a second of the fastest of some products, with the threads that torch has: one that training might use."""
    best = 0.0
    for rows in TOKENS[where.type]:
        for inner, outer in WIDTHS[where.type]:
            x, weight = (torch.randn(shape, device=where).to(dtype) for shape in ((rows, inner), (outer, inner)))
            for _ in range(3):
                torch.nn.functional.linear(x, weight)
            _wait(where)
            start, done = time.perf_counter(), 0
            while time.perf_counter() - start < seconds:
                for _ in range(4):
                    torch.nn.functional.linear(x, weight)
                _wait(where)
                done += 4
            best = max(best, 2 * rows * inner * outer * done / (time.perf_counter() - start))
    return best


def _wait(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize()
