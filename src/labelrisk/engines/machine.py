"""What this machine has: cores, free memory, a GPU."""

from __future__ import annotations

import os
from pathlib import Path

DEVICES = Path("/dev")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> float:
    """Bytes that may be taken without swapping; unknown (no bound) where there is no /proc/meminfo."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), float("inf"))


def has_gpu() -> bool:
    """Whether there is one of NVIDIA's that this process may use; a container may have another one than the first."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return any(DEVICES.glob("nvidia[0-9]*"))
