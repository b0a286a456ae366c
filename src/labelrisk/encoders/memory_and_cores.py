"""How a process that trains or encodes uses the machine's memory and cores."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MOST = 2**30


def keep_mapped() -> bool:
    """Ask glibc to keep freed memory instead of giving it back; returns False where there is no glibc.

    By default blocks above 128 KiB to 32 MiB are mapped afresh at each use, and the kernel then fills each page
    with zeros.  With this, page faults fall to some sixty per step once the longest batch has been seen.
    """
    mallopt = _of_glibc("mallopt")
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, MOST)) and bool(mallopt(M_TRIM_THRESHOLD, MOST))


def give_back() -> None:
    """Give what is kept and free back to the system: blocks of ever other sizes leave ever more gaps between them."""
    if (trim := _of_glibc("malloc_trim")) is not None:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """A function of glibc; None where the C library is another one."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return found


def share_cores(threads: int) -> None:
    """Compute with so many threads, whatever the machine has: sums in another order would be other bytes.

    Threads that wait for each other sleep soon, if this comes before the first import of torch.  GNU's OpenMP lets
    them spin for milliseconds, thousands of times a step: with another process on the same cores the spinning keeps
    the awaited thread from running.  Seen once beside other jobs on 2 cores: 1.8 s a step instead of 0.2 s; at a
    lighter load no difference stood out of the noise.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)


@contextmanager
def uncollected() -> Iterator[None]:
    """Put off garbage collection: imports make many objects and no garbage (half a second of a run's start)."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
