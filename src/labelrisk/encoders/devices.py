"""Where encoders are computed, and in which type."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def device() -> torch.device:
    """The accelerator that is used where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def moved(array: NDArray[np.generic], where: torch.device) -> Tensor:
    """An array as a tensor there; on the CPU it shares the array's memory.

    An accelerator fetches it from pinned memory while the next kernels are being launched: a copy from other memory
    would wait until all that was launched is done.
    """
    tensor = torch.from_numpy(array)
    return (tensor.pin_memory() if where.type == "cuda" else tensor).to(where, non_blocking=True)


def precision(asked: str) -> torch.dtype:
    """The type that is computed in: bf16 where the device multiplies it fast, unless asked otherwise."""
    if asked == "auto":
        asked = "bf16" if _has_bf16() else "fp32"
    return torch.bfloat16 if asked == "bf16" else torch.float32


def _has_bf16() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    mkldnn: Any = torch.backends.mkldnn
    return bool(mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())
